-- What the page knows of conversations: where each stands, and what it is found by. Made anew at each start.
CREATE TABLE source (
    number INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    file TEXT NOT NULL,
    prompts TEXT,
    planned INTEGER,
    -- What the file was when it was read last, and how far it was read.
    identity TEXT NOT NULL,
    next_byte INTEGER NOT NULL,
    next_line INTEGER NOT NULL,
    prompts_byte INTEGER NOT NULL,
    n_bad INTEGER NOT NULL,
    problem TEXT NOT NULL
);

CREATE TABLE conversation (
    -- Never given twice: the words of one that was taken out stay in "said".
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    source INTEGER NOT NULL,
    id TEXT NOT NULL,
    start INTEGER NOT NULL,
    length INTEGER NOT NULL,
    line INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    arm TEXT,
    task TEXT,
    ending TEXT NOT NULL,
    persona TEXT,
    n_messages INTEGER NOT NULL,
    opening TEXT NOT NULL,
    score REAL
);

CREATE INDEX conversation_of_source ON conversation (source, persona);

CREATE INDEX conversation_of_persona ON conversation (persona);

CREATE INDEX conversation_said ON conversation (id, fingerprint);

CREATE INDEX conversation_score ON conversation (score);

CREATE TABLE label (
    conversation INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL
);

CREATE INDEX label_value ON label (name, value, conversation);

CREATE TABLE word (
    conversation INTEGER NOT NULL,
    word TEXT NOT NULL,
    side TEXT NOT NULL
);

CREATE INDEX word_word ON word (word, conversation);

CREATE TABLE prompts (
    source INTEGER NOT NULL,
    id TEXT NOT NULL,
    start INTEGER NOT NULL,
    length INTEGER NOT NULL,
    PRIMARY KEY (source, id)
);

CREATE VIRTUAL TABLE said USING fts5 (text, content = '', tokenize = 'unicode61 remove_diacritics 2')
