-- The prediction log: what was decided, on what grounds, and how the loans ended.
-- All times are UTC. Rows are only ever added; retention drops whole partitions.

-- One row a decision and role. Times and ids are fixed by the pod that decides, before anything is written, so that
-- a batch can be sent any number of times.
CREATE TABLE decision (
    decision_id      uuid             NOT NULL,
    answered_at      timestamptz      NOT NULL,
    -- 'live' answered the client, 'shadow' was only looked at.
    role             text             NOT NULL CHECK (role IN ('live', 'shadow')),
    application_id   text             NOT NULL,
    applicant_id     text,
    -- When the application was made; the time of the answer where the model has no time column.
    application_time timestamptz      NOT NULL,
    -- namespace/name of the LoanModel, and name of the PredictionService.
    model            text             NOT NULL,
    service          text             NOT NULL,
    version          bigint           NOT NULL,
    run              text             NOT NULL,
    -- Every admissible column of the application, those that this version does not use as well.
    features         jsonb            NOT NULL,
    -- Log-odds before calibration, and the calibrated probability.
    score            double precision NOT NULL,
    probability      double precision NOT NULL,
    threshold        double precision NOT NULL,
    decision         text             NOT NULL,
    reasons          jsonb            NOT NULL,
    PRIMARY KEY (answered_at, decision_id, role)
) PARTITION BY RANGE (answered_at);

-- The newest live rows of a service in the order in which windows are cut; read backwards.
CREATE INDEX decision_window ON decision (model, service, application_time, answered_at, decision_id)
    WHERE role = 'live';

-- From an outcome to its decision.
CREATE INDEX decision_application ON decision (model, application_id);

-- Makes the partition of a month (UTC) unless it is there. Any number of sessions may call it at once.
--
-- CREATE TABLE … PARTITION OF would lock out every reader of the log; a table made apart and attached locks out only
-- others that change the log's structure. The lock is taken before the second look, which then sees what the session
-- before has made: an advisory lock would leave that look to stale caches.
CREATE FUNCTION ensure_decision_partition(month date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first_day date := date_trunc('month', month)::date;
    partition text := 'decision_' || to_char(first_day, 'YYYYMM');
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN;
    END IF;
    LOCK TABLE decision IN SHARE UPDATE EXCLUSIVE MODE;
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE decision INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
    EXECUTE format(
        'ALTER TABLE decision ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        partition,
        first_day::timestamp AT TIME ZONE 'UTC',
        (first_day + interval '1 month') AT TIME ZONE 'UTC'
    );
END
$$;

-- How loans ended or stand. A later observation stands beside an earlier one; the newest counts.
-- There is no foreign key: an outcome may arrive before the decision, whose record may still be in a pod's spool.
CREATE TABLE outcome (
    model          text        NOT NULL,
    application_id text        NOT NULL,
    -- One of the values of the model's label.
    value          text        NOT NULL,
    granted        boolean     NOT NULL,
    observed_at    timestamptz NOT NULL,
    -- A training run pins what it had received, so that a second attempt sees the same.
    received_at    timestamptz NOT NULL DEFAULT now(),
    source         text,
    PRIMARY KEY (model, application_id, observed_at)
);

-- What a model has received since some moment.
CREATE INDEX outcome_received ON outcome (model, received_at);

-- Another value for a moment that has one already: set aside for a person.
CREATE TABLE outcome_conflict (
    model          text        NOT NULL,
    application_id text        NOT NULL,
    value          text        NOT NULL,
    granted        boolean     NOT NULL,
    observed_at    timestamptz NOT NULL,
    received_at    timestamptz NOT NULL DEFAULT now(),
    source         text,
    PRIMARY KEY (model, application_id, observed_at, value, granted)
);
