"""The process of a local model: a script for a Python with torch and transformers; it needs nothing of this package.

usage: python local_child.py FOLDER DEVICE SEED

Writes {"ready": ...} or {"error": ...}, then for each line {"number", "text", "images": [[camera, base64 JPEG], ...],
"max_tokens"} on stdin one line {"number", "text"} or {"number", "error"}. The stream that carries them is not stdout, on
which libraries print.
"""

from __future__ import annotations

import base64
import io
import json
import os
import sys
from typing import Any, BinaryIO


def main() -> None:
    """Load the model, then answer until stdin ends."""
    sys.path[:] = [path for path in sys.path if path != os.path.dirname(os.path.abspath(__file__))]
    folder, device, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    try:
        model, processor = load(folder, device, seed)
    except Exception as error:
        write(answers, {"error": one_line(error)})
        return
    write(answers, {"ready": type(model).__name__})
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            said = {"text": answer(model, processor, request)}
        except Exception as error:
            said = {"error": one_line(error)}
        write(answers, {"number": request["number"], **said})


def load(folder: str, device: str, seed: int) -> tuple[Any, Any]:
    """Return model and processor of a folder.

    Raises:
        ValueError: a weight is missing or not finite.
    """
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    torch.manual_seed(seed)
    processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
    model, told = AutoModelForImageTextToText.from_pretrained(
        folder, local_files_only=True, dtype="auto", output_loading_info=True
    )
    if missing := sorted(told["missing_keys"]):
        raise ValueError(f"{len(missing)} weights are missing, first {missing[0]}: they are of another architecture")
    for name, weight in model.named_parameters():
        if not torch.isfinite(weight).all():
            raise ValueError(f"weight {name} is not finite")
    if not hasattr(processor, "image_processor"):
        raise ValueError("its processor takes no images")
    return model.to(device).eval(), processor


def answer(model: Any, processor: Any, request: dict[str, Any]) -> str:
    """Return what the model says, greedily, to a text with images."""
    import torch
    from PIL import Image

    images = [Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB") for _, data in request["images"]]
    content: list[dict[str, str]] = []
    for camera, _ in request["images"]:
        content += [{"type": "text", "text": f"Camera {camera!r}:"}, {"type": "image"}]
    content.append({"type": "text", "text": request["text"]})
    prompt = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    inputs = processor(text=[prompt], images=[images] if images else None, return_tensors="pt")
    inputs = inputs.to(model.device)
    with torch.inference_mode():
        tokens = model.generate(**inputs, max_new_tokens=request["max_tokens"], do_sample=False)
    new = tokens[:, inputs["input_ids"].shape[1] :]
    (text,) = processor.batch_decode(new, skip_special_tokens=True)
    return str(text)


def write(stream: BinaryIO, tree: dict[str, str | int]) -> None:
    """Write one line."""
    stream.write(json.dumps(tree).encode() + b"\n")
    stream.flush()


def one_line(error: Exception) -> str:
    """Return an error in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:1000]


if __name__ == "__main__":
    main()
