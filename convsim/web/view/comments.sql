-- Comments on conversations, which are known by their id and a fingerprint of what was said.
CREATE TABLE comment (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    -- Where the conversation was found, for people.
    run TEXT NOT NULL,
    -- The message that is meant, from 0; null is the whole conversation.
    message INTEGER,
    text TEXT NOT NULL,
    made_at TEXT NOT NULL
);

CREATE INDEX comment_of ON comment (id, fingerprint)
