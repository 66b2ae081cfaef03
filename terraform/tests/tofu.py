"""OpenTofu on a copy of terraform/, with a provider that serves the AWS provider's schema and nothing else."""

import json
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import bindings

CACHE = Path.home() / ".cache/underwriter"
WHEEL = next((CACHE / "terraform").glob("cdktf_cdktf_provider_aws-*.whl"))
USED = re.compile(r'^(resource|data|ephemeral) "(aws_\w+)"', re.MULTILINE)
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def types_used(folder: Path) -> tuple[set[str], set[str], set[str]]:
    """The types of resources, data sources and ephemeral resources that files name, whether or not the provider has them."""
    found = {match for path in folder.rglob("*.tf") for match in USED.findall(path.read_text())}
    resources, data_sources, ephemeral = (
        {type_ for kind, type_ in found if kind == of} for of in ("resource", "data", "ephemeral")
    )
    return resources, data_sources, ephemeral


class Tofu:
    """One working copy: `folder` holds what is checked."""

    def __init__(self, source: Path, work: Path, program: str = str(CACHE / "bin/tofu")):
        self.program = program
        self.folder = work / source.name
        ignored = shutil.ignore_patterns(".terraform", "tests", "*.tfstate*", "*.tfvars")
        shutil.copytree(source, self.folder, ignore=ignored)
        self.settings = work / "settings.tfrc"
        self.settings.write_text(self._mirror(work / "mirror"))

    def _mirror(self, mirror: Path) -> str:
        """Lays the provider out where OpenTofu, or Terraform, installs it from."""
        platform_ = f"linux_{MACHINES[platform.machine()]}"
        number = bindings.version(WHEEL)
        schema = json.dumps(bindings.schema(WHEEL, *types_used(self.folder)))
        for registry in ("registry.opentofu.org", "registry.terraform.io"):
            place = mirror / registry / "hashicorp/aws" / number / platform_
            place.mkdir(parents=True)
            shutil.copy(CACHE / "terraform/provider", place / f"terraform-provider-aws_v{number}")
            (place / "schema.json").write_text(schema)
        return f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n'

    def __call__(self, folder: str, *arguments: str) -> subprocess.CompletedProcess:
        environment = os.environ | {
            "TF_CLI_CONFIG_FILE": str(self.settings),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }
        command = [self.program, f"-chdir={self.folder / folder}", *arguments]
        return subprocess.run(command, env=environment, text=True, capture_output=True)

    def validated(self, folder: str) -> subprocess.CompletedProcess:
        """What `init` says where it fails, or else `validate`."""
        begun = self(folder, "init", "-backend=false", "-input=false", "-no-color")
        return begun if begun.returncode else self(folder, "validate", "-no-color")
