-- Which quarantined frames were admitted after all, when, by whom and under which state of the registry. The row in
-- quarantine stays as it was: this one names it, and neither is ever edited.

CREATE TABLE readmission (
    quarantine_no bigint PRIMARY KEY REFERENCES quarantine,
    readmitted_at_ms bigint NOT NULL,
    readmitted_by text NOT NULL CHECK (readmitted_by <> ''),
    registry_revision bigint NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT, INSERT ON readmission TO jishi_service;
