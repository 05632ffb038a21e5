-- One blind test: its document, its raters, and what they said.
CREATE TABLE study (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    fingerprint TEXT NOT NULL,
    document TEXT NOT NULL
);

CREATE TABLE rater (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    -- The name without case, so that nobody takes another's by its capitals.
    folded TEXT NOT NULL UNIQUE,
    -- SHA-256 of the secret in the rater's cookie.
    secret TEXT NOT NULL UNIQUE
);

-- A skipped trial has neither choice nor confidence.
CREATE TABLE answer (
    number INTEGER PRIMARY KEY,
    rater INTEGER NOT NULL REFERENCES rater (number),
    trial INTEGER NOT NULL,
    choice TEXT CHECK (choice IN ('human', 'simulated', 'left', 'right')),
    confidence INTEGER CHECK (confidence BETWEEN 1 AND 4),
    human_left INTEGER CHECK (human_left IN (0, 1)),
    answered_at TEXT NOT NULL,
    UNIQUE (rater, trial),
    CHECK ((choice IS NULL) = (confidence IS NULL))
);

-- A word of the user that gave it away: 0 is the conversation on the left or the only one, 1 that on the right.
CREATE TABLE word (
    answer INTEGER NOT NULL REFERENCES answer (number),
    side INTEGER NOT NULL CHECK (side IN (0, 1)),
    message INTEGER NOT NULL,
    word INTEGER NOT NULL,
    PRIMARY KEY (answer, side, message, word)
);
