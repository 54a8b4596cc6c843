"""Texts of the reference that are written by hand, for generate_reference.py."""

STUDY_FILES = """
A study as TOML, anywhere a command takes the name of a study: what ends in `.toml` or has a `/` is a file. Options of
the command line change what it says. An unknown key is an error that names the closest known one.

`hpoctl studies show NAME` prints a registered study, or another file, as a study file to start from:
see [Write a study file](../how-to/write-a-study-file.md).
""".strip().splitlines()

EXAMPLE = """
`settings` are what stands after `--set`. A method that is named in `settings` or in `fixed` has to be one of
`methods`, and values have to fit the space of every benchmark: what does not is refused before anything runs.
`default` is for studies that a plugin registers; in a file it says nothing.
""".strip().splitlines()

SETTINGS = """
What determines or limits an experiment. A setting can be said as an option of `hpoctl run` and `hpoctl launch`, and as
a key of a study file or of `hpoctl.toml`. The option counts before the study, the study before `hpoctl.toml`, and that
before the default. A later launch of the tag keeps what an earlier one said. What is in force is in the metadata of
each experiment under the same name, so `--where` finds it; settings that are not in every identity are there where they
are not the default.
""".strip().splitlines()

HPOCTL_TOML = """
What a folder says about the studies run in it: a file `hpoctl.toml`, or the table `[tool.hpoctl]` of `pyproject.toml`
with the same keys. It is looked for in the folder in which the command is typed. Where both exist `hpoctl.toml` wins,
and nothing of `pyproject.toml` is read.
""".strip().splitlines()

BENCHMARK_FILES = """
A training script and its configuration space, as TOML. A benchmark file stands anywhere a command or a study
file takes the name of a benchmark: what ends in `.toml` or has a `/` is a file. Paths in it are relative to the file;
in a study file, the path of a benchmark file is relative to the study file. An unknown key is an error that names the
closest known one.

`hpoctl benchmark new train.py` writes a first file, `hpoctl benchmark check FILE` tries it out. A plugin registers the
same with `ScriptBenchmark(folder=Path(__file__).parent, ...)`, whose arguments are these keys.

```toml
name = "toy-script"
script = "train.py"                 # gets --lr 0.01 --epochs 9
metric = "loss"
mode = "min"
resource_attr = "epoch"
max_resource_attr = "epochs"
n_workers = 2
max_wallclock_time = 20

[space]
lr = { type = "loguniform", lower = 0.001, upper = 1.0 }
epochs = 9
```
""".strip().splitlines()

BACKENDS = """
## Options of trial backends

`[backends.NAME]` has options that trials of this benchmark need on a trial backend, whatever the study: an image,
libraries, the size of a machine. The keys are those that `--backend-option` takes. It counts where that backend is
chosen, with `--backend` or in a study file:

```toml
[backends.sagemaker]
image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/digits:3"
requirements = "requirements.txt"       # relative to this file
instance_type = "ml.g5.xlarge"
```

* `backend_options` of a study file go before these, and `--backend-option` before both.
* Paths of files are relative to the benchmark file. Those below its folder travel with jobs to other machines.
* A key that the backend does not have is an error that names the closest one. `hpoctl benchmark check` looks at all
  tables. A table of a backend that is not installed is not used; `hpoctl benchmark check` says so.
* Options are no part of the identity of results, as `--backend-option` is not: the same trial elsewhere is the same
  trial.
* Values that look like credentials are refused; see [pass a token](../how-to/pass-a-token.md).
""".strip().splitlines()

DOMAINS = """
## The space

Each line of `[space]` is a hyperparameter: a fixed value, or a domain with its `type` and the keys of that type. Fixed
values reach the script and the results as well.
""".strip().splitlines()

WHAT_A_SCRIPT_SEES = """
## What a script sees

| what | when |
|---|---|
| `--NAME VALUE` for each hyperparameter, in the order of the space | `arguments = "options"` |
| `--config FILE`, a JSON object with all hyperparameters | `arguments = "json"` |
| `--st_checkpoint_dir DIR`, and `--st_config_json_filename FILE` in place of `--config FILE` | `syne_tune_arguments` |

The words are given to the operating system as they are, without a shell: a value may hold spaces and quotes.
Control characters, such as line breaks, are refused. A text that begins with a dash and is not a number is passed as
`--NAME=VALUE`, so that parsers do not take it for an option. True and false are `true` and `false`; with
`syne_tune_arguments`, `True` and `False`.

| environment variable | value |
|---|---|
| `HPOCTL_TRIAL_ID` | the number of the trial in its experiment |
| `HPOCTL_CHECKPOINT_DIR` | the folder for the trial's checkpoints; the same when it is resumed |
| `HPOCTL_RESUME_FROM` | the resource level that is known already; `0`: none, or the script keeps no checkpoints |
| `HPOCTL_CONFIG` | the configuration as a JSON file |
| `HPOCTL_REPORTS` | the file for reports, a JSON object a line; `-`: standard output |
| `HPOCTL_SEED` | a seed for the random numbers of the trial; the same when it is resumed |
| `CUDA_VISIBLE_DEVICES` | the trial's GPUs, where the benchmark asks for any |
| `OMP_NUM_THREADS`, `OPENBLAS_NUM_THREADS`, `MKL_NUM_THREADS` | `cpus`, unless they are set already |
| `PYTHONUNBUFFERED` | `1`, unless it is set already: what Python prints arrives at once |

## Reports

Three ways, which may be mixed:

* in Python, `import hpoctl` and `hpoctl.report(epoch=3, loss=0.2)`. The import takes milliseconds and needs the
  standard library only. Without hpoctl around, the values are printed;
* a line `[tune-metric]: {"epoch": 3, "loss": 0.2}` on standard output, as Syne Tune's Reporter prints it;
* a line `{"epoch": 3, "loss": 0.2}` at the end of the file that `HPOCTL_REPORTS` names.

A report is a JSON object. `NaN`, `Infinity` and numbers beyond the range of doubles, such as `1e400`, are metrics: the
worst there are. The report that has the tuned metric makes a row; values that were reported before it since the last
row belong to it. Other values than metrics are kept in columns `extra_NAME`; no metric or resource may begin with
`extra_`. Levels of the resource are whole numbers from 1 on and increase within a trial. A line of more than 200,000
bytes, or one that is nested more than 100 levels deep, is no report.
""".strip().splitlines()
