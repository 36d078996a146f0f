-- A store as schema 1 wrote it: three runs, one session, one study.
PRAGMA journal_mode = WAL;
PRAGMA application_id = 1869640814;
PRAGMA user_version = 1;
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY, started REAL NOT NULL, command TEXT NOT NULL, environment TEXT NOT NULL
);
CREATE TABLE runs (
    key TEXT PRIMARY KEY, spec BLOB NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL,
    test_loss REAL, test_metric REAL, params_hash TEXT NOT NULL, grad_evals INTEGER NOT NULL,
    seconds REAL NOT NULL, loop TEXT NOT NULL, columns TEXT NOT NULL, curve BLOB NOT NULL,
    session INTEGER REFERENCES sessions (id)
);
CREATE TABLE studies (
    id INTEGER PRIMARY KEY, session INTEGER REFERENCES sessions (id), record BLOB NOT NULL
);
INSERT INTO sessions VALUES (1, 1735689600.0, 'optbench run smoke', '{"python":"3.11.7"}');
INSERT INTO studies VALUES (1, 1, CAST('{"suite":"smoke"}' AS BLOB));
INSERT INTO runs VALUES ('3a587804240856ccae4f',
    CAST('{"optimizer":"some","hyper":{"lr":0.1,"n":3,"on":true},"control":{"schedule":"constant","warmup":0.0,"final":0.0,"clip_norm":0.0},"optimizer_code":"","dataset":"d","dataset_hash":"","hidden":[32,32],"activation":"relu","initializer":"he-normal","initializer_hyper":{},"initializer_code":"","regime":"mini-batch","batch_size":32,"epochs":10,"seed":0,"dtype":"float32","grid_points":40,"engine":1}' AS BLOB),
    'ok', '', 0.25, 0.5, 'hash0', 12, 0.25, 'compiled',
    'epoch,updates,examples,seconds,train_loss,val_loss,train_metric,val_metric',
    X'0000000000000000000000000000d03f000000000000f03f000000000000f43f0000000000000040000000000000024000000000000008400000000000000a400000000000001040000000000000114000000000000014400000000000001540000000000000184000000000000019400000000000001c400000000000001d40', 1);
INSERT INTO runs VALUES ('1237d8f15a33a8767de6',
    CAST('{"optimizer":"some","hyper":{"lr":0.1,"n":3,"on":true},"control":{"schedule":"constant","warmup":0.0,"final":0.0,"clip_norm":0.0},"optimizer_code":"","dataset":"d","dataset_hash":"","hidden":[32,32],"activation":"relu","initializer":"he-normal","initializer_hyper":{},"initializer_code":"","regime":"mini-batch","batch_size":32,"epochs":10,"seed":1,"dtype":"float32","grid_points":40,"engine":1}' AS BLOB),
    'diverged', 'loss not finite after 3 updates', NULL, NULL, 'hash1', 12, 0.25, 'compiled',
    'epoch,updates,examples,seconds,train_loss,val_loss,train_metric,val_metric',
    X'0000000000000000000000000000f03f000000000000004000000000000008400000000000001040000000000000144000000000000018400000000000001c40', 1);
INSERT INTO runs VALUES ('00d6913b1836251e84fe',
    CAST('{"optimizer":"some","hyper":{"lr":0.1,"n":3,"on":true},"control":{"schedule":"constant","warmup":0.0,"final":0.0,"clip_norm":0.0},"optimizer_code":"","dataset":"d","dataset_hash":"","hidden":[32,32],"activation":"relu","initializer":"he-normal","initializer_hyper":{},"initializer_code":"","regime":"mini-batch","batch_size":32,"epochs":10,"seed":2,"dtype":"float32","grid_points":40,"engine":1}' AS BLOB),
    'failed', 'ValueError: no good', NULL, NULL, 'hash2', 12, 0.25, 'compiled',
    'epoch,updates,examples,seconds,train_loss,val_loss,train_metric,val_metric',
    X'', 1);
