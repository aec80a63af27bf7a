"""The container has one legal form: another program's zip of the same members, or one changed byte, is refused."""

import io
import zipfile

import pytest

from metering.verifier import container

CONTENT = {"a.json": b"{}", "b/c.bin": b"\0" * 70, "d": b""}


def written() -> bytes:
    parts: list[bytes] = []
    writer = container.Writer(parts.append)
    for name, content in CONTENT.items():
        writer.add(name, content)
    writer.close()
    return b"".join(parts)


def test_it_reads_back_and_any_zip_program_opens_it() -> None:
    assert {name: bytes(content) for name, content in container.read(written()).items()} == CONTENT
    with zipfile.ZipFile(io.BytesIO(written())) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == CONTENT


def test_every_flipped_bit_is_found() -> None:
    raw = written()
    for at in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(ValueError, match=r"."):
            container.read(bytes(changed))


def test_every_cut_and_every_byte_beside_it_is_found() -> None:
    raw = written()
    for changed in [*(raw[:at] for at in range(len(raw))), raw + b"\0", b"\0" + raw]:
        with pytest.raises(ValueError, match=r"."):
            container.read(changed)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_another_program_packed_is_refused(method: int) -> None:
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w", method) as made:
        for name, content in CONTENT.items():
            made.writestr(name, content)
    with pytest.raises(ValueError, match=r"."):
        container.read(other.getvalue())


def test_names_rise() -> None:
    writer = container.Writer(lambda _: None)
    writer.add("b", b"")
    for name in ("a", "b"):
        with pytest.raises(ValueError, match="does not come after"):
            writer.add(name, b"")
