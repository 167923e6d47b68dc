"""Files that describe clusters: what they start is what dask-jobqueue would, and what is wrong is told in one line."""

import dask_jobqueue
import pytest
import yaml

from gene_eval.errors import ClusterError
from gene_eval.running.cluster.queues import job_scripts, read_cluster

pytestmark = pytest.mark.filterwarnings("ignore")


def lines(script):
    """Without the scheduler's port, which differs each time."""
    return [" ".join(word for word in line.split() if not word.startswith("tcp://")) for line in script.splitlines()]


def test_slurm_is_what_dask_jobqueue_submits(repo):
    cpu, gpu = job_scripts(repo / "docs/cluster/slurm.yaml")
    options = {"queue": "cpu", "cores": 16, "processes": 4, "memory": "64GB", "walltime": "04:00:00"}
    with dask_jobqueue.SLURMCluster(
        **options,
        log_directory="logs",
        worker_extra_args=["--resources", '"cpu=1"'],
        scheduler_options={"dashboard_address": ":0"},
    ) as cluster:
        assert lines(cpu) == lines(cluster.job_script())
    assert "#SBATCH --gres=gpu:1" in gpu.splitlines()
    assert "#SBATCH -p gpu" in gpu.splitlines()
    assert gpu.rstrip().endswith('--resources "gpu=1"')
    assert "--nworkers" not in gpu


@pytest.mark.parametrize(
    ("name", "directive"), [("pbs", "#PBS -l walltime=04:00:00"), ("lsf", "#BSUB -n 8"), ("sge", "#$ -q all.q")]
)
def test_other_queues_make_scripts(repo, name, directive):
    (script,) = job_scripts(repo / f"docs/cluster/{name}.yaml")
    assert directive in script.splitlines()
    assert "--nthreads 4" in script
    assert "--nworkers 2" in script


def test_kubernetes_announces_what_steps_ask_for(repo):
    parts = list(yaml.safe_load_all((repo / "docs/cluster/kubernetes.yaml").read_text()))
    service = next(part for part in parts if part["kind"] == "Service")
    port = next(each["port"] for each in service["spec"]["ports"] if each["name"] == "comm")
    commands = [
        container["command"]
        for part in parts
        if part["kind"] == "Deployment"
        for container in part["spec"]["template"]["spec"]["containers"]
    ]
    workers = [command for command in commands if command[1] == "worker"]
    assert sorted(command[command.index("--resources") + 1] for command in workers) == ["cpu=1", "gpu=1"]
    assert {command[2] for command in workers} == {f"tcp://{service['metadata']['name']}:{port}"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("slrum: {jobs: 1}", "did you mean 'slurm'"),
        ("[1]", "expected one key of local, slurm"),
        ("local: {workers: 0}", "workers is 0, expected a whole number, 1 or above"),
        ("local: {worker: 2}", "did you mean 'workers'"),
        ("slurm: {cores: 1, memory: 1GB}", "does not say how many jobs"),
        ("slurm: {jobs: 1, cores: 1}", "memory"),
        ("slurm: {jobs: -1}", "jobs is -1"),
        ("local: [", "expected YAML such as"),
    ],
)
def test_a_wrong_file_is_told_in_one_line(tmp_path, text, said):
    path = tmp_path / "cluster.yaml"
    path.write_text(text)
    with pytest.raises(ClusterError, match=said) as caught:
        read_cluster(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
