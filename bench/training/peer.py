"""Hugging Face's RoBERTa as a contestant: `--repeat` training steps for every line `step` on stdin, the time of one on stdout.

Fused AdamW, dropout 0.1, bf16 by autocast, SDPA, no padding; on CUDA through torch.compile. `--head masked` computes
scores at the masked positions only, as no class of transformers does, but a few lines do. A line `gemm` answers with
this machine's matrix product rates.
"""
import argparse, json, sys, time
import torch
from transformers import AttentionMaskInterface, RobertaConfig, RobertaForMaskedLM

parser = argparse.ArgumentParser()
for name in ("hidden", "layers", "heads", "intermediate", "vocab", "batch", "length", "repeat"):
    parser.add_argument(f"--{name}", type=int, required=True)
parser.add_argument("--precision", choices=["fp32", "bf16"], required=True)
parser.add_argument("--device", choices=["cpu", "cuda"], required=True)
parser.add_argument("--head", choices=["every", "masked"], default="every")
options = parser.parse_args()

# Nothing is padding here. Some versions (5.17) still make a mask of ones when they are compiled, and with a mask there is
# no FlashAttention.
AttentionMaskInterface.register("sdpa", lambda *_, **__: None)
torch.manual_seed(0)
device = options.device
model = RobertaForMaskedLM(RobertaConfig(
    vocab_size=options.vocab, hidden_size=options.hidden, num_hidden_layers=options.layers, num_attention_heads=options.heads,
    intermediate_size=options.intermediate, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5,
    attn_implementation="sdpa")).to(device).train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.01, fused=True)
ids = torch.randint(5, options.vocab, (options.batch, options.length), device=device)
masked = torch.rand(ids.shape, device=device) < 0.15
labels = torch.where(masked, ids, -100)
positions = masked.flatten().nonzero().flatten()
targets = ids.flatten()[positions]


def every(ids, labels, positions, targets):
    return model(input_ids=ids, labels=labels).loss


def masked_only(ids, labels, positions, targets):
    hidden = model.roberta(input_ids=ids).last_hidden_state
    scores = model.lm_head(hidden.flatten(0, 1)[positions])
    return torch.nn.functional.cross_entropy(scores.float(), targets)


loss_of = masked_only if options.head == "masked" else every
if device == "cuda":
    loss_of = torch.compile(loss_of)


def synchronize():
    if device == "cuda":
        torch.cuda.synchronize()


def step():
    start, busy = time.perf_counter(), time.process_time()
    for _ in range(options.repeat):
        with torch.autocast(device, dtype=torch.bfloat16, enabled=options.precision == "bf16"):
            loss = loss_of(ids, labels, positions, targets)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    value = loss.item()
    synchronize()
    return {"ms": (time.perf_counter() - start) * 1e3 / options.repeat, "cpu_ms": (time.process_time() - busy) * 1e3 / options.repeat, "loss": value}


def gemm():
    """Best of ten products, in GFLOP/s: 2048 x 768 x 3072, on CUDA 8192 x 8192 x 8192."""
    rows, inner, columns = (8192, 8192, 8192) if device == "cuda" else (2048, 768, 3072)
    rates = {}
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        a, b = torch.randn(rows, inner, device=device, dtype=dtype), torch.randn(inner, columns, device=device, dtype=dtype)
        best = float("inf")
        for _ in range(10):
            start = time.perf_counter()
            a @ b
            synchronize()
            best = min(best, time.perf_counter() - start)
        rates[name] = 2 * rows * inner * columns / best / 1e9
    return rates


where = torch.cuda.get_device_name() if device == "cuda" else device
print(json.dumps({"ready": f"transformers on torch {torch.__version__}, {where}"}), flush=True)
for line in sys.stdin:
    print(json.dumps({"step": step, "gemm": gemm}[line.strip()]()), flush=True)
