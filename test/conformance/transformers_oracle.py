"""What transformers and torch.optim make of models.

A request has `folder`, `batches` of `input_ids` and `labels`, and either nothing more (logits, loss and gradients of the first
batch; `autocast` does it in bfloat16) or `adamw` (an update of torch.optim.AdamW per batch: parameters and moments at the end).
All of it on the CPU, or on a `device`.
"""

import json
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, RobertaForMaskedLM, RobertaForSequenceClassification


def run(request):
    architecture = AutoConfig.from_pretrained(request["folder"]).architectures[0]
    cls = {c.__name__: c for c in (RobertaForMaskedLM, RobertaForSequenceClassification)}[architecture]
    # On a GPU, kernels that compute attention at once may round float32 on the way; the plain products do not.
    attention = {"attn_implementation": "eager"} if "device" in request and not request.get("autocast") else {}
    model, info = cls.from_pretrained(request["folder"], output_loading_info=True, **attention)
    model.to(request.get("device", "cpu")).eval()
    answer = adamw(model, request) if "adamw" in request else once(model, request)
    save_file({name: value.detach().float().cpu().contiguous() for name, value in answer.items()}, request["answer"])
    return {"architecture": architecture, "missing": sorted(info["missing_keys"]), "unexpected": sorted(info["unexpected_keys"])}


def forward(model, batch, autocast=False):
    ids, labels = (torch.tensor(batch[name], device=model.device) for name in ("input_ids", "labels"))
    # The model does not infer which positions are padding.
    with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=autocast):
        return model(input_ids=ids, attention_mask=(ids != 1).long(), labels=labels)


def once(model, request):
    out = forward(model, request["batches"][0], request.get("autocast", False))
    out.loss.backward()
    gradients = {f"gradient/{name}": p.grad for name, p in model.named_parameters() if p.grad is not None}
    return {"logits": out.logits.clone(), "loss": out.loss.reshape(1), **gradients}


def adamw(model, request):
    options = request["adamw"]
    undecayed = [
        name
        for name, _ in model.named_parameters()
        if name.endswith(".bias") or "LayerNorm" in name or "layer_norm" in name
    ]
    groups = [
        {
            "params": [p for name, p in model.named_parameters() if (name in undecayed) == bare],
            "weight_decay": 0.0 if bare else options["weight_decay"],
        }
        for bare in (False, True)
    ]
    optimizer = torch.optim.AdamW(
        groups, betas=(options["adam_beta1"], options["adam_beta2"]), eps=options["adam_epsilon"]
    )
    losses = []
    for batch, rate in zip(request["batches"], options["rates"]):
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        loss = forward(model, batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), options["max_grad_norm"] or float("inf"))
        optimizer.step()
        losses.append(loss.detach())
    named = [(name, p, optimizer.state[p]) for name, p in model.named_parameters() if p in optimizer.state]
    return {
        "losses": torch.stack(losses),
        **{f"parameters/{name}": p for name, p, _ in named},
        **{f"means/{name}": state["exp_avg"] for name, _, state in named},
        **{f"squares/{name}": state["exp_avg_sq"] for name, _, state in named},
    }


json.dump([run(request) for request in json.load(sys.stdin)], sys.stdout)
