"""Step V11 as far as a pack alone shows it: policies are what their hashes say, and approved as they must be.

What the register of trust says of them is compared in `anchor`. Not asked yet: the commissioning record they rest on.
"""

from collections.abc import Sequence
from itertools import pairwise

from contract.errors import ConfigError
from contract.registry import PolicyVersion, rules_hash
from metering.core.daily import Part
from metering.core.spans import Span
from metering.verifier.anchor import overlap
from metering.verifier.findings import Findings


def check_policies(policies: Sequence[PolicyVersion], findings: Findings) -> None:
    """Look at each policy, and at each with the next."""
    findings.checked.add("V11")
    for one in policies:
        label = f"{one.policy_id}@{one.version}"
        try:
            if rules_hash(one.rules) != one.content_hash:
                findings.add("policy-hash", label)
        except (ValueError, OverflowError) as error:
            findings.add("policy-unusable", f"{label}: {error}")
        if one.approved_body == one.proposed_body:
            findings.add("policy-approval", f"{label}: approved by {one.approved_body}, which proposed it")
        if one.valid_from_ms < one.approved_at_ms:
            findings.add("policy-approval", f"{label}: in force before it was approved")
        if one.valid_to_ms is not None and one.valid_to_ms <= one.valid_from_ms:
            findings.add("policy-approval", f"{label}: ends before it begins")
    for one, other in pairwise(policies):
        if one.valid_from_ms > other.valid_from_ms or overlap(one, other):
            findings.add("policy-clash", f"{one.policy_id}@{one.version} and {other.policy_id}@{other.version}")


def windows(parts: Sequence[Part], findings: Findings) -> list[Span]:
    """What each part is measured over.

    Raises:
        RejectedError: a policy cannot be used.
    """
    try:
        return [part.within for part in parts]
    except ConfigError as error:
        raise findings.stop("policy-unusable", " ".join(str(error).split())) from error
