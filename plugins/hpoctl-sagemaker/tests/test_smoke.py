"""One small training job on a real AWS account: never in CI, costs a few cents.

    export HPOCTL_SMOKE_SAGEMAKER_ROLE=arn:aws:iam::ACCOUNT:role/NAME
    python -m pytest plugins/hpoctl-sagemaker/tests/test_smoke.py

Credentials and region are those of the environment. `HPOCTL_SMOKE_S3` names another root than the default bucket.
"""

import os
import subprocess
import sys
import uuid

import pytest

from hpoctl.stores.opening import open_results

ROLE = os.environ.get("HPOCTL_SMOKE_SAGEMAKER_ROLE")


@pytest.mark.skipif(not ROLE, reason="HPOCTL_SMOKE_SAGEMAKER_ROLE is not set: nothing is run on AWS")
@pytest.mark.timeout(3600)
def test_one_job_on_aws() -> None:
    tag, root = f"smoke-{uuid.uuid4().hex[:8]}", os.environ.get("HPOCTL_SMOKE_S3", "s3://")
    words = ["--study", "activations", "--method", "RS", "--benchmark", "fcnet-protein", "--num-seeds", "1"]
    words += ["--tag", tag, "--max-num-evaluations", "20", "--on", "sagemaker", "--results", root]
    words += ["--launcher-option", f"role={ROLE}", "--launcher-option", "max_run=1800"]
    done = subprocess.run([sys.executable, "-m", "hpoctl", "launch", *words], check=False)
    assert done.returncode == 0
    open_results(root).store.delete(tag)
