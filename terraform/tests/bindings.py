"""The AWS provider's schema, read out of the typed bindings that npm carries.

The bindings are generated from the provider's published schema: of each resource and data source they have a class whose
comments say of every attribute whether it is computed, optional or required, whose getters say its type, and whose
`synthesizeHclAttributes` says what is a block and how blocks nest. `schema` puts that together again, in the form in
which Terraform itself prints a provider's schema. Only the types that are asked for are read: there are 2,000 of them.
"""

import io
import re
import tarfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

LEVEL = re.compile(r"^    // (\w+) - computed: (\w+), optional: (\w+), required: (\w+)$", re.MULTILINE)
CLASS = re.compile(r"^class (\w+) extends cdktf\.(\w+) \{$(.*?)^\}$", re.MULTILINE | re.DOTALL)
FUNCTION = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{$(.*?)^\}$", re.MULTILINE | re.DOTALL)
METHOD = re.compile(r"synthesizeHclAttributes\(\) \{$(.*?)^    \}$", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(
    r"^\s+(\w+): \{\s+value: (.*?),\s+isBlock: \w+,\s+type: \"(\w+)\",\s+storageClassType: \"(\w+)\",\s+\}",
    re.MULTILINE | re.DOTALL,
)
MADE = re.compile(r"this\.\w+ = new (\w+)\(this, \"(\w+)\"(?:, (\w+))?\);")
GETTERS = {
    "getStringAttribute": "string",
    "getNumberAttribute": "number",
    "getBooleanAttribute": "bool",
    "getListAttribute": ["list", "string"],
    "getNumberListAttribute": ["list", "number"],
    "getStringMapAttribute": ["map", "string"],
    "getNumberMapAttribute": ["map", "number"],
    "getBooleanMapAttribute": ["map", "bool"],
}
SCALARS = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}


@dataclass
class Binding:
    """One file of the bindings: its classes, and what its functions say of nested blocks, by the name of their struct."""

    root: str
    classes: dict[str, str] = field(default_factory=dict)
    entries: dict[str, dict[str, tuple]] = field(default_factory=dict)


def entries(text: str) -> dict[str, tuple]:
    """Of each settable name: its value's expression, how it nests, and what it holds."""
    return {name: (value, nesting, holds) for name, value, nesting, holds in ENTRY.findall(text)}


def read(text: str) -> Binding:
    found = CLASS.findall(text)
    root = next(name for name, base, _ in found if base in ("TerraformResource", "TerraformDataSource", "TerraformProvider"))
    binding = Binding(root, {name: body for name, _, body in found})
    for name, body in FUNCTION.findall(text):
        binding.entries[name.lower()] = entries(body)
    binding.entries[root.lower()] = entries(METHOD.search(binding.classes[root]).group(1))
    return binding


def structure(holds: str) -> str:
    """The struct of a class such as XList, XOutputReference or X."""
    return re.sub(r"(List|Map|OutputReference)$", "", holds)


def settable_type(nesting: str, holds: str):
    """The type of an attribute that can be set."""
    if holds in SCALARS:
        return SCALARS[holds]
    for scalar, ours in SCALARS.items():
        for suffix in ("List", "Map"):
            if holds == scalar + suffix:
                return [nesting if suffix == "List" else "map", ours]
    return None


def reference(binding: Binding, struct: str) -> str:
    """The body of the class with a struct's getters. The provider's own blocks, which nothing refers to, have none."""
    return binding.classes.get(struct + "OutputReference", "")


def getter_type(body: str, name: str):
    """The type of an attribute that is only read, by its getter."""
    after = body.split(f"// {name} - computed:", 1)[1].split("\n    //", 1)[0]
    for getter, type_ in GETTERS.items():
        if f"this.{getter}('{name}')" in after:
            is_set = "Fn.tolist(" in after and type_[0] == "list"
            return ["set", type_[1]] if is_set else type_
    return "dynamic"


def objects(binding: Binding, body: str) -> dict:
    """Attributes of objects that are only read, with their types: the fields that a constructor makes from the name."""
    found = {}
    for class_name, name, is_set in MADE.findall(body):
        inner = object_type(binding, structure(class_name))
        if class_name.endswith("Map"):
            inner = ["map", inner]
        elif class_name.endswith("List"):
            inner = ["set" if is_set == "true" else "list", inner]
        found[name] = inner
    return found


def object_type(binding: Binding, struct: str):
    body = reference(binding, struct)
    read_only = {name: getter_type(body, name) for name, *_ in LEVEL.findall(body)}
    return ["object", read_only | objects(binding, body)]


def block(binding: Binding, struct: str, body: str) -> dict:
    """One block: attributes and blocks inside, in the form of `terraform providers schema -json`."""
    result: dict = {"attributes": {}, "block_types": {}}
    settable = binding.entries.get(struct.lower(), {})
    read_only = {name: getter_type(body, name) for name, *_ in LEVEL.findall(body)} | objects(binding, body)
    for name in read_only.keys() - settable.keys():
        result["attributes"][name] = attribute(read_only[name], settable=False, needed=False)
    for name, (value, nesting, holds) in settable.items():
        needed = bool(body) and f" reset{pascal(value)}()" not in body
        type_ = settable_type(nesting, holds)
        if type_ is None:
            result["block_types"][name] = nested(binding, value, nesting, holds, needed)
        else:
            result["attributes"][name] = attribute(type_, settable=True, needed=needed)
    return result


def attribute(type_, settable: bool, needed: bool) -> dict:
    """What can be set but need not be may be computed, too: the bindings do not tell these apart."""
    return {
        "type": type_,
        "required": settable and needed,
        "optional": settable and not needed,
        "computed": not (settable and needed),
    }


def write_only(block_: dict) -> dict:
    """Marks what is sent and never kept, which the provider names so."""
    for name, found in block_["attributes"].items():
        if name.endswith("_wo") and (found["optional"] or found["required"]):
            found |= {"write_only": True, "computed": False}
    return block_


def pascal(value: str) -> str:
    """The bindings' own name of an argument, out of the expression of its value: InstanceClass of this._instanceClass."""
    name = re.search(r"(?:this\._|struct\.)(\w+)", value).group(1)
    return name[0].upper() + name[1:]


def nested(binding: Binding, value: str, nesting: str, holds: str, needed: bool) -> dict:
    struct = structure(holds)
    many = "listMapperHcl" in value
    single = nesting == "struct"
    return {
        "nesting_mode": "single" if single else nesting,
        "min_items": 1 if needed and not single else 0,
        "max_items": 0 if many or single else 1,
        "block": block(binding, struct, reference(binding, struct)),
    }


def one(text: str) -> dict:
    binding = read(text)
    return {"version": 0, "block": write_only(block(binding, binding.root, binding.classes[binding.root]))}


def place(type_: str, data: bool) -> str:
    """Where a type's binding lies: aws_s3_bucket in s3-bucket, as a data source in data-aws-s3-bucket."""
    name = type_.removeprefix("aws_").replace("_", "-")
    return f"package/lib/data-aws-{name}/index.js" if data else f"package/lib/{name}/index.js"


def files(wheel: Path, wanted: set[str]) -> dict[str, str]:
    """Of the files that are wanted, those that there are. They lie in npm's archive, which lies in Python's."""
    with zipfile.ZipFile(wheel) as outer:
        name = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        archive = tarfile.open(fileobj=io.BytesIO(outer.read(name)), mode="r:gz")
        return {member.name: archive.extractfile(member).read().decode() for member in archive if member.name in wanted}


def schema(wheel: Path, resources: set[str], data_sources: set[str], ephemeral: set[str]) -> dict:
    """The schema of the provider and of those types asked for that it has.

    The bindings know no ephemeral resources; one has the arguments of the data source of its name.
    """
    provider = "package/lib/provider/index.js"
    resource = {type_: place(type_, False) for type_ in resources}
    data = {type_: place(type_, True) for type_ in data_sources | ephemeral}
    found = files(wheel, {provider, *resource.values(), *data.values()})
    read_data = {type_: one(found[path]) for type_, path in data.items() if path in found}
    return {
        "provider": one(found[provider]),
        "resource_schemas": {type_: one(found[path]) for type_, path in resource.items() if path in found},
        "data_source_schemas": {type_: read_data[type_] for type_ in data_sources & read_data.keys()},
        "ephemeral_resource_schemas": {type_: read_data[type_] for type_ in ephemeral & read_data.keys()},
    }


def version(wheel: Path) -> str:
    """The version of the AWS provider that the bindings are of."""
    text = files(wheel, {"package/lib/provider/index.js"})["package/lib/provider/index.js"]
    return re.search(r"providerVersion: '([\d.]+)'", text).group(1)
