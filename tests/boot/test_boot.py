"""The whole of it: a machine boots by its user data on the local cluster, up to a first prediction; a second one takes its
place; a release changes the chart, and a bad one is taken back. AWS is moto, RDS a Postgres that asks for TLS."""

import base64
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import servers
import yaml
from conftest import Cloud
from machines import FAKES, Machine
from rendering import LEAST, rendered

HERE = Path(__file__).parents[2]
CACHE = Path.home() / ".cache/underwriter"
KUBECONFIG, KUBECTL, HELM = CACHE / "cluster/admin.conf", CACHE / "bin/kubectl", CACHE / "bin/helm"
BUILT = Path(os.environ.get("CARGO_TARGET_DIR", CACHE / "target")) / "x86_64-unknown-linux-gnu/release"
HOST = "10.42.0.1"  # where pods find servers of this machine
SPACE, SYSTEM = LEAST["namespace"], "underwriter-system"
TOKEN, KAGGLE, MASTER = "K" * 64, "key-of-kaggle", "m'a\"s$t`e\\r é"
EXAMPLES = HERE / "examples/consumer-loans"


def kubectl(*arguments: str, check: bool = True) -> str:
    environment = {**os.environ, "KUBECONFIG": str(KUBECONFIG)}
    done = subprocess.run([KUBECTL, *arguments], env=environment, text=True, capture_output=True, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"kubectl {arguments}: {done.stderr}")
    return done.stdout


def secret(namespace: str, name: str) -> dict[str, str]:
    data = json.loads(kubectl("get", "secret", "--namespace", namespace, name, "--output=json"))["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def image(name: str) -> dict:
    made = subprocess.run([HERE / "cluster/image.sh", name, BUILT / f"underwriter-{name}"], check=True, text=True, capture_output=True)
    repository, _, tag = made.stdout.strip().rpartition(":")
    return {"repository": repository, "tag": tag}


def objects() -> dict[str, str]:
    """The example's model, quick to train, and its service."""
    model = yaml.safe_load((EXAMPLES / "loan-model.yaml").read_text())
    model["metadata"]["namespace"] = SPACE
    model["spec"]["data"] |= {"uri": "s3://test-data/loans.csv.gz", "outcomes": "Ignore"}
    model["spec"]["training"] = {"algorithm": "Scorecard"}
    model["spec"]["promotion"] = {"gates": [{"metric": "refusedShare", "atMost": 1.0}]}
    service = yaml.safe_load((EXAMPLES / "prediction-service.yaml").read_text())
    service["metadata"]["namespace"] = SPACE
    return {"model": yaml.safe_dump(model), "service": yaml.safe_dump(service)}


class Environment:
    """What `terraform apply` would have made."""

    def __init__(self, cloud: Cloud, folder: Path, postgres: tuple[int, Path], downloads: str):
        self.cloud, self.folder, self.downloads = cloud, folder, downloads
        self.port, self.ca = postgres
        self.images = {name: image(name) for name in ("operator", "predictor", "tasks")}
        self.mlflow = subprocess.check_output([HERE / "tests/boot/mlflow-image.sh"], text=True).strip()
        self.machines = 0
        for bucket in ("test-data", "test-artifacts", "test-snapshots"):
            cloud.client("s3").create_bucket(Bucket=bucket)
        loans = HERE / "examples/data/lending-club-2007-2011.csv.gz"
        cloud.client("s3").upload_file(str(loans), "test-data", "loans.csv.gz")
        cloud.secret("test/k3s-token", TOKEN)
        cloud.secret("test/master", json.dumps({"username": "master", "password": MASTER}))
        # Where S3 is; no key, for pods have the role that their machine gives them.
        cloud.secret("test/s3", json.dumps({"AWS_ENDPOINT_URL": f"http://{HOST}:{cloud.port}"}))
        cloud.secret("test/kaggle", json.dumps({"KAGGLE_USERNAME": "somebody", "KAGGLE_KEY": KAGGLE}))
        cloud.secret("test/plain", "a plain text")
        self.release(self.values())

    def values(self, **more) -> dict:
        return {
            "images": self.images,
            "artifacts": {"uri": "s3://test-artifacts/versions/", "secretName": "test-s3"},
            "data": {"secretName": "test-s3"},
            "predictionLog": {"secretName": "underwriter-log"},
            "caConfigMap": "underwriter-ca",
            "workloads": {"env": {"AWS_REGION": "us-east-1", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/credentials"}},
            "networkPolicy": {"workloadNamespaces": [SPACE]},
            **more,
        }

    def release(self, values: dict) -> None:
        content = json.dumps({"chart": "/var/cache/underwriter/chart.tgz", "version": "", "values": values})
        self.cloud.client("ssm").put_parameter(Name="/test/release", Value=content, Type="String", Overwrite=True)

    def user_data(self) -> str:
        published = self.folder / "published"
        secrets = [{"secret": f"test/{name}", "namespace": SPACE, "name": f"test-{name}", "key": "value", "keys": {}} for name in ("s3", "kaggle", "plain")]
        return rendered(
            self.folder / "tofu",
            k3s={**LEAST["k3s"], "checksum": servers.checksum(published / "k3s"), "url": f"{self.downloads}/k3s"},
            helm={**LEAST["helm"], "checksum": servers.checksum(published / "helm.tar.gz"), "url": f"{self.downloads}/helm.tar.gz"},
            database={"host": HOST, "port": self.port, "master_secret_arn": "test/master"},
            ca_bundle_url=f"{self.downloads}/ca.crt",
            postgres_image=subprocess.check_output([HERE / "tests/boot/psql-image.sh"], text=True).strip(),
            mlflow={"image": self.mlflow, "artifacts_uri": "s3://test-artifacts/mlflow"},
            secrets=secrets,
            objects=objects(),
        )["text"]

    def server(self, instance: str, disk: Path) -> Machine:
        self.machines += 1
        disk.mkdir(exist_ok=True)
        local = {"LOCAL_CLUSTER": str(KUBECONFIG), "LOCAL_KUBECTL": str(KUBECTL)}
        made = Machine(self.folder / f"server-{self.machines}", instance, {**self.cloud.environment, **local}, disk)
        chart = made.path("/var/cache/underwriter/chart.tgz")
        chart.parent.mkdir(parents=True)
        chart.write_bytes(next((self.folder / "published").glob("underwriter-*.tgz")).read_bytes())
        return made


@pytest.fixture(scope="module")
def environment(place, moto):
    """An environment without any machine yet, on a cluster that is up and has nothing of an earlier run."""
    assert kubectl("get", "--raw", "/readyz", check=False) == "ok", "the local cluster is not up: make up"
    clear()
    folder = place / "environment"
    published = folder / "published"
    published.mkdir(parents=True)
    (published / "k3s").write_text((FAKES / "k3s").read_text())
    servers.helm_archive(HELM, published / "helm.tar.gz")
    subprocess.run([HELM, "package", HERE / "charts/underwriter", "--destination", published], check=True, capture_output=True)
    with servers.postgres(place / "rds", MASTER, HOST) as postgres, servers.files(published) as downloads:
        (published / "ca.crt").write_text(postgres[1].read_text())
        yield Environment(Cloud(moto), folder, postgres, downloads)
        clear()


def clear() -> None:
    """Takes away what this test makes, and what would keep its operator busy; models first, for theirs must see them go."""
    kubectl("delete", "underwriter", "--all", "--all-namespaces", "--timeout=1m", check=False)
    for namespace in (SPACE, "mlflow"):
        kubectl("delete", "namespace", namespace, "--ignore-not-found", "--timeout=2m")
    subprocess.run([HELM, "uninstall", "underwriter", "--namespace", SYSTEM, "--wait", "--ignore-not-found"], check=False, capture_output=True, env={**os.environ, "KUBECONFIG": str(KUBECONFIG)})
    kubectl("delete", "namespace", SYSTEM, "--ignore-not-found", "--timeout=2m")


@pytest.fixture(scope="module")
def first(environment):
    """The first server, booted; with what it said."""
    server = environment.server("i-0aaaaaaaaaaaaaaaa", environment.folder / "disk-1")
    server.written(environment.user_data())
    with servers.pod_role(server, environment.folder / "pod-role.log"):
        yield server, server.boot(environment.user_data())


def test_it_boots_to_its_end_and_again(first):
    server, said = first
    assert said.rstrip().endswith("==> done: server test")
    assert "not copied" not in said
    assert json.loads(server.run("docker-credential-underwriter-ecr", "get", given=LEAST["registry_host"]).stdout)["Secret"]
    timers = server.path("/var/log/systemctl").read_text().splitlines()[-1]
    assert timers == "start underwriter-snapshot.timer underwriter-secrets.timer underwriter-nodes.timer"
    server.program("boot.sh")


def test_no_secret_is_said_or_written_for_all_to_read(first, environment):
    server, said = first
    password = secret(SPACE, "underwriter-log")["DATABASE_URL"].split(":")[2].split("@")[0]
    assert len(password) == 64
    readable = [file for file in server.path("/etc").rglob("*") if file.is_file() and file.stat().st_mode & 0o077]
    ours = [file for file in readable if {"underwriter", "rancher", "systemd"} & set(file.parts)]
    for hidden in (TOKEN, MASTER, KAGGLE, password):
        assert hidden not in said and hidden not in environment.user_data()
        for file in ours:
            assert hidden not in file.read_text(errors="replace"), file


def test_secrets_are_in_the_cluster_and_the_masters_is_not(first):
    assert secret(SPACE, "test-plain") == {"value": "a plain text"}
    assert secret(SPACE, "test-kaggle") == {"KAGGLE_USERNAME": "somebody", "KAGGLE_KEY": KAGGLE}
    assert "database-" not in kubectl("get", "secrets", "--namespace", SYSTEM, "--output=name")


def predict(seconds: int = 180) -> dict:
    """Asks at the door, and again until somebody answers."""
    port = kubectl("get", "service", "loan-api-door", "--namespace", SPACE, "--output=jsonpath={.spec.ports[0].nodePort}")
    application = (EXAMPLES / "application.json").read_bytes()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/predict", application, {"content-type": "application/json"})
    end = time.monotonic() + seconds
    while True:
        try:
            return json.load(urllib.request.urlopen(request, timeout=5))
        except (OSError, urllib.error.URLError):
            if time.monotonic() > end:
                raise AssertionError(kubectl("get", "underwriter,jobs,pods,events", "--namespace", SPACE)) from None
            time.sleep(1)


def query(url: str, sql: str) -> str:
    return subprocess.run(["psql", "--no-psqlrc", "-tA", url, "-c", sql], text=True, capture_output=True, check=False).stdout.strip()


def test_a_first_prediction_is_answered_and_logged(first, environment):
    answer = predict()
    assert '"GET /credentials HTTP/1.1" 200' in (environment.folder / "pod-role.log").read_text()
    assert 0 < answer["probability"] < 1 and answer["decision"] and answer["version"]
    url = f"{secret(SPACE, 'underwriter-log')['DATABASE_URL']}&sslrootcert={environment.ca}"
    for _ in range(30):
        if query(url, f"select count(*) from decision where application_id = '{answer['id']}'") == "1":
            return
        time.sleep(1)
    raise AssertionError("the prediction is not in the log")


def states(server: Machine) -> list[str]:
    with sqlite3.connect(server.path("/var/lib/rancher/k3s/server/db/state.db")) as database:
        return [value.decode() for (value,) in database.execute("select value from kine order by id")]


def test_another_server_takes_its_place(first, environment):
    server, _ = first
    before = secret(SPACE, "underwriter-log")
    server.run("systemctl", "start", "underwriter-snapshot.service")
    # The disk is lost with it, the worst case: all that is left is in S3 and in Secrets Manager.
    other = environment.server("i-0bbbbbbbbbbbbbbbb", environment.folder / "disk-2")
    said = other.boot(environment.user_data())
    assert "restored from s3://test-snapshots/k3s/" in said and said.rstrip().endswith("==> done: server test")
    assert states(other) == [*states(server), "i-0bbbbbbbbbbbbbbbb"]
    assert secret(SPACE, "underwriter-log") == before
    assert predict(60)["version"] == 1


def operator(server: Machine) -> list[str]:
    arguments = "--output=jsonpath={.spec.template.spec.containers[0].args}"
    return json.loads(kubectl("get", "deployment", "underwriter", "--namespace", SYSTEM, arguments))


def test_a_release_is_installed_without_a_new_machine(first, environment):
    environment.release(environment.values(logLevel="underwriter_operator=debug,info"))
    assert "it stays" in first[0].program("release.py", "--unless-installed").stdout  # as at every boot
    assert "--log=info" in operator(first[0])
    first[0].run("systemctl", "start", "underwriter-release.service")
    assert "--log=underwriter_operator=debug,info" in operator(first[0])


def broken(environment) -> dict:
    missing = {"repository": "localhost/underwriter-operator", "tag": "missing"}
    return environment.values(images={**environment.images, "operator": missing, "pullPolicy": "Never"})


def test_a_release_that_does_not_come_up_is_taken_back(first, environment):
    before = operator(first[0])
    environment.release(broken(environment))
    done = first[0].program("release.py", check=False, RELEASE_TIMEOUT="15s")
    assert done.returncode != 0 and "helm upgrade failed" in done.stderr
    assert operator(first[0]) == before


def test_one_that_was_cut_off_does_not_lock_the_next(first, environment):
    server = first[0]
    environment.release(broken(environment))
    command = ["chroot", str(server.root), "/opt/underwriter/release.py"]
    path = {"PATH": "/usr/local/bin:/usr/bin:/bin:" + os.environ["PATH"]}
    cut = subprocess.Popen(command, env={**path, **server.environment, **server.settings()}, start_new_session=True, stderr=subprocess.DEVNULL)
    status = ["helm", "status", "underwriter", "--namespace", SYSTEM, "--output=json"]
    for _ in range(100):
        time.sleep(0.2)
        if json.loads(server.run(*status, **server.settings()).stdout)["info"]["status"].startswith("pending"):
            break
    os.killpg(cut.pid, signal.SIGKILL)
    cut.wait()
    environment.release(environment.values(logLevel="warn"))
    server.program("release.py")
    assert "--log=warn" in operator(server)


LOGGED = """
import mlflow
mlflow.set_experiment("boot")
with mlflow.start_run() as run:
    mlflow.log_text("a file", "file.txt")
print(mlflow.__version__, run.info.run_id)
"""


@contextlib.contextmanager
def forwarded(namespace: str, service: str, port: int):
    """The way in that a person has; gives its address."""
    command = [KUBECTL, f"--kubeconfig={KUBECONFIG}", "port-forward", "--namespace", namespace, f"service/{service}", f":{port}"]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as running:
        try:
            yield "http://" + running.stdout.readline().split()[2]  # Forwarding from 127.0.0.1:40000 -> 5000
        finally:
            running.terminate()


def status(url: str, host: str) -> int:
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers={"Host": host}), timeout=60).status
    except urllib.error.HTTPError as error:
        return error.code


def test_mlflow_keeps_runs_in_rds_and_files_in_s3(first, environment):
    s3 = f"MLFLOW_S3_ENDPOINT_URL=http://{HOST}:{environment.cloud.port}"  # its role it has from the machine
    kubectl("set", "env", "--namespace", "mlflow", "deployment/mlflow", s3)
    try:
        kubectl("rollout", "status", "--namespace", "mlflow", "deployment/mlflow", "--timeout=4m")
    except AssertionError as error:
        seen = kubectl("get", "pods,events", "--namespace", "mlflow") + kubectl("logs", "--namespace", "mlflow", "deployment/mlflow", check=False)
        raise AssertionError(f"{error}\n{seen}") from None
    with forwarded("mlflow", "mlflow", 5000) as address:
        python = [CACHE / "mlflow/bin/python", "-c", LOGGED]
        logged = subprocess.run(python, env={**os.environ, "MLFLOW_TRACKING_URI": address}, text=True, capture_output=True, check=False)
        assert logged.returncode == 0, logged.stderr
        version, run = logged.stdout.splitlines()[-1].split()
        assert urllib.request.urlopen(f"{address}/version").read().decode() == version, "the mirror is tested with another version"
        listed = f"{address}/api/2.0/mlflow/experiments/get-by-name?experiment_name=boot"
        assert [status(listed, host) for host in ("mlflow.mlflow:5000", "somewhere.else")] == [200, 403]
    url = secret("mlflow", "mlflow-database")["MLFLOW_BACKEND_STORE_URI"].replace("+psycopg2", "")
    url = url.replace("/etc/authority/ca.crt", str(environment.ca))
    assert query(url, f"select status from runs where run_uuid = '{run}'") == "FINISHED"
    files = environment.cloud.client("s3").list_objects_v2(Bucket="test-artifacts", Prefix="mlflow/")["Contents"]
    assert [file["Key"].split("/", 2)[2] for file in files] == [f"{run}/artifacts/file.txt"]
