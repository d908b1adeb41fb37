-- What version 0.1.0 wrote; BOOT, SPACE and HOST are put in by the test.
CREATE TABLE runs (
    run TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    lane TEXT,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    device TEXT,
    status TEXT NOT NULL,
    reason TEXT,
    step INTEGER,
    steps INTEGER,
    epoch INTEGER,
    loss REAL,
    val_loss REAL,
    val_auc REAL,
    message TEXT,
    eta_seconds REAL,
    created REAL NOT NULL,
    started REAL,
    ended REAL,
    heartbeat REAL NOT NULL,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    resumable INTEGER NOT NULL,
    user TEXT NOT NULL,
    host TEXT NOT NULL,
    config TEXT NOT NULL,
    result TEXT,
    supervisor TEXT NOT NULL,
    process TEXT
);
INSERT INTO runs (run, position, lane, kind, name, source, device, status, created, started, heartbeat, resumable, user, host, config, supervisor, step, steps, val_auc, ended, result, process) VALUES ('20260101-000000-00000a', 1, 'cpu', 'train', 'done', 'demo', 'cpu', 'completed', 1000.0, 1000.5, 1001.0, 1, 'ada', 'HOST', '{"options": {"u": 0.4}}', '{"boot": "BOOT", "space": "SPACE", "pid": 1, "started": "1"}', 12, 12, 0.75, 1100.0, '{"model": "m"}', '{"boot": "BOOT", "space": "SPACE", "pid": 2, "started": "1"}');
INSERT INTO runs (run, position, lane, kind, name, source, device, status, created, started, heartbeat, resumable, user, host, config, supervisor) VALUES ('20260101-000000-00000b', 2, 'cpu', 'train', 'now', 'demo', 'cpu', 'running', 1001.0, 1001.5, 1002.0, 1, 'ada', 'HOST', '{"options": {"u": 0.4}}', '{"boot": "BOOT", "space": "SPACE", "pid": 1, "started": "1"}');
INSERT INTO runs (run, position, lane, kind, name, source, device, status, created, started, heartbeat, resumable, user, host, config, supervisor) VALUES ('20260101-000000-00000c', 3, 'cpu', 'train', 'before', 'demo', 'cpu', 'running', 1002.0, 1002.5, 1003.0, 1, 'ada', 'HOST', '{"options": {"u": 0.4}}', '{"boot": "other", "space": "SPACE", "pid": 1, "started": "1"}');
INSERT INTO runs (run, position, lane, kind, name, source, device, status, created, started, heartbeat, resumable, user, host, config, supervisor) VALUES ('20260101-000000-00000d', 4, 'cpu', 'train', 'elsewhere', 'demo', 'cpu', 'running', 1003.0, 1003.5, 1004.0, 1, 'ada', 'another', '{"options": {"u": 0.4}}', '{"boot": "other", "space": "SPACE", "pid": 1, "started": "1"}');
PRAGMA user_version = 1;
