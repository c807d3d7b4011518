"""What transformers makes of a folder with a head for pairs.

`next_sentence.py folder < input_ids > answer`, JSON both ways.
"""

import json
import sys

import torch
from safetensors.torch import load_file
from transformers import RobertaForMaskedLM, RobertaModel

folder = sys.argv[1]
ids = torch.tensor(json.load(sys.stdin))
mask = (ids != 1).long()
masked_lm, info = RobertaForMaskedLM.from_pretrained(folder, output_loading_info=True)
encoder, encoder_info = RobertaModel.from_pretrained(folder, add_pooling_layer=True, output_loading_info=True)
weights = load_file(folder + "/model.safetensors")
with torch.no_grad():
    pooled = encoder.eval()(input_ids=ids, attention_mask=mask).pooler_output
    scores = torch.nn.functional.linear(
        pooled, weights["cls.seq_relationship.weight"], weights["cls.seq_relationship.bias"]
    )
    logits = masked_lm.eval()(input_ids=ids, attention_mask=mask).logits
json.dump(
    {
        "scores": scores.flatten().tolist(),
        "logits": logits.flatten().tolist(),
        "missing": sorted(info["missing_keys"]) + sorted(encoder_info["missing_keys"]),
    },
    sys.stdout,
)
