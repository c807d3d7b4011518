"""Logits of a Hugging Face folder, by transformers itself: `oracle.py folder < requests > answers`, JSON both ways."""
import json, sys
import torch
from transformers import AutoConfig, RobertaForMaskedLM, RobertaForSequenceClassification

folder = sys.argv[1]
request = json.load(sys.stdin)
kind = AutoConfig.from_pretrained(folder).architectures[0]
cls = RobertaForMaskedLM if kind == "RobertaForMaskedLM" else RobertaForSequenceClassification
model, info = cls.from_pretrained(folder, output_loading_info=True)
model.eval()
ids = torch.tensor(request["input_ids"])
with torch.no_grad():
    logits = model(input_ids=ids, attention_mask=(ids != 1).long()).logits
answer = {"logits": logits.flatten().tolist(), "shape": list(logits.shape), "architecture": kind,
          "missing": sorted(info["missing_keys"]), "unexpected": sorted(info["unexpected_keys"]),
          "parameters": sum(p.numel() for p in model.parameters())}
if request.get("labels"):
    # Gradients of the mean loss, to check ours against autograd.
    out = model(input_ids=ids, attention_mask=(ids != 1).long(), labels=torch.tensor(request["labels"]))
    out.loss.backward()
    answer["loss"] = out.loss.item()
    answer["gradients"] = {name: p.grad.flatten().tolist() for name, p in model.named_parameters() if p.grad is not None}
if request.get("save"):
    model.save_pretrained(request["save"], max_shard_size=request["max_shard_size"])
json.dump(answer, sys.stdout)
