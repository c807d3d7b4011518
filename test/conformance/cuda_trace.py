"""Do calls of ATen operators, recorded on the CPU, hold on a CUDA device? Needs no GPU.

Reads {operators, traces} from standard input. Prints, as JSON, the operators that have no CUDA kernel, or null where
this PyTorch has no CUDA at all. Each trace is called again on fake tensors of a CUDA device: PyTorch's own rules say
what shape, type and device every result has, refuse tensors of two devices, and refuse whatever would need a value on
the host.
"""

import json, sys
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

TYPES = {0: torch.uint8, 3: torch.int32, 4: torch.int64, 6: torch.float32, 11: torch.bool, 15: torch.bfloat16}
# How many results to compare: what FlashAttention keeps of its random numbers is its own business, and statistics of
# bfloat16 rows are float32 on CUDA alone.
COMPARED = {"aten::_flash_attention_forward": 2, "aten::native_layer_norm": 1}
given = json.load(sys.stdin)


def find(name):
    namespace, rest = name.split("::")
    operator, _, overload = rest.partition(".")
    return getattr(getattr(getattr(torch.ops, namespace), operator), overload or "default")


def argument(value, kind, tensors):
    if value is None:
        return None
    if kind in ("Tensor", "Optional[Tensor]"):
        return tensors[value]
    if kind in ("List[Tensor]", "List[Optional[Tensor]]"):
        return [tensors[each] for each in value]
    if kind == "Optional[Device]":
        return torch.device("cuda")
    return value


def call(name, values, results, tensors):
    operator = find(name)
    args, kwargs = [], {}
    for value, schema in zip(values, operator._schema.arguments):
        converted = argument(value, str(schema.type), tensors)
        if schema.name == "dtype" and value is not None:
            converted = TYPES[value]
        if schema.kwarg_only:
            kwargs[schema.name] = converted
        else:
            args.append(converted)
    out = operator(*args, **kwargs)
    flat = [] if out is None else out if isinstance(out, (list, tuple)) else [out]
    for i, (tensor, (handle, kind, *shape)) in enumerate(zip(flat, results)):
        assert tensor.device.type == "cuda", f"{name}: a result is on {tensor.device}"
        if i < COMPARED.get(name, len(flat)):
            assert (
                list(tensor.shape) == shape and tensor.dtype == TYPES[kind]
            ), f"{name}: {tensor.dtype} {list(tensor.shape)} where the CPU gave {TYPES[kind]} {shape}"
        tensors[handle] = tensor


def replay(trace):
    tensors = {}
    with FakeTensorMode(allow_non_fake_inputs=True):
        for at, (what, *rest) in enumerate(trace):
            if what == "host":
                handle, kind, *shape = rest
                tensors[handle] = torch.empty(shape, dtype=TYPES[kind], device="cuda")
            elif what == "free":
                tensors.pop(rest[0])
            elif what == "launch":
                assert all(tensors[each].is_contiguous() for each in rest[1:]), f"{rest[0]}: a tensor is not contiguous"
            else:
                try:
                    call(*rest, tensors)
                except Exception as error:
                    raise SystemExit(f"call {at}, {rest[0]}: {type(error).__name__}: {error}")


missing = None
if torch.backends.cuda.is_built():
    missing = [
        name for name in given["operators"] if not torch._C._dispatch_has_computed_kernel_for_dispatch_key(name, "CUDA")
    ]
for trace in given["traces"]:
    replay(trace)
print(json.dumps(missing))
