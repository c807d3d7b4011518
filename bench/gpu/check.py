"""Is this project right, and how fast is it, on this GPU? Ten minutes at most, without a network and without Node.

    python3 bench/gpu/check.py bench/gpu/gpu-check.tar.xz

with a Python that has PyTorch (a CUDA build), transformers and safetensors, and with g++ and an NVIDIA driver; pack.mjs
makes the archive. Results go to gpu-check.json and what was said to gpu-check.log, in $OUT, --out or the current folder.
A step that fails or takes too long does not stop those after it. What is found is written down at once: whenever this is
killed, only what was not found yet is lost. Ended with SIGTERM or SIGINT, it prints its table first.
Exit codes: 0 all steps passed, 1 some did not, 143 and 130 ended by a signal.
"""
import argparse, datetime, json, os, platform, re, shutil, signal, subprocess, sys, tarfile, tempfile, threading, time, typing

# Seconds for everything, where the machine is lent for 600 at a time; the last of them are for the table.
BUDGET = 570
LAST = 5


class Step(typing.NamedTuple):
    name: str
    # Seconds that nobody before it may use up; what those before it leave is added to them.
    kept: int
    # It is not worth starting with less.
    least: int
    command: list


def steps(device, python):
    """What is checked, in this order. A last step that has nothing kept for it runs if there is time."""
    node = lambda file, *more: ["./node", f"bench/gpu/steps/{file}.mjs", "--device", device, *more]
    speed = lambda *more: node("speed", "--python", python, *more)
    if device == "cpu":
        timed = [Step("speed tiny", 220, 60, speed("--size", "tiny", "--rounds", "1")),
                 Step("speed tiny, masked", 0, 60, speed("--size", "tiny", "--rounds", "1", "--head", "masked"))]
    else:
        # The peer of the last one is for those who rewrite a few lines of it.
        timed = [Step("speed 64x512", 120, 60, speed("--size", "base-512")),
                 Step("speed 256x128", 100, 60, speed("--size", "base-128")),
                 Step("speed 64x512, masked", 0, 60, speed("--size", "base-512", "--head", "masked"))]
    return [
        Step("build", 90, 30, node("build", "--python", python)),
        Step("ops", 60, 20, node("ops")),
        Step("transformers", 80, 20, node("transformers", "--python", python)),
        *timed[:-1],
        Step("repeat", 45, 15, node("repeat")),
        Step("resume", 60, 25, node("resume")),
        timed[-1],
    ]


class Ended(Exception):
    """By a signal."""


class Report:
    """What is known so far, in gpu-check.json; changed by the thread that reads a step's output, too."""

    def __init__(self, folder, device, names):
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, "gpu-check.json")
        self.log = open(os.path.join(folder, "gpu-check.log"), "w", encoding="utf-8")
        self.lock = threading.RLock()
        self.data = {
            "started": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "device": device,
            "machine": machine(device),
            "steps": [{"name": name, "outcome": "not run", "rows": []} for name in names],
        }
        self.write()

    def write(self):
        with self.lock:
            with open(f"{self.path}.new", "w", encoding="utf-8") as file:
                json.dump(self.data, file, indent=1)
            os.replace(f"{self.path}.new", self.path)

    def update(self, step, **values):
        with self.lock:
            step.update(values)
            self.write()

    def say(self, text):
        self.log.write(f"{text}\n")
        self.log.flush()

    def row(self, step, row):
        with self.lock:
            step["rows"] = [each for each in step["rows"] if each["name"] != row["name"]] + [row]
            self.write()

    def table(self):
        lines = ["", ", ".join(f"{name} {value}" for name, value in self.data["machine"].items())]
        for step in self.data["steps"]:
            seconds = f"{step['seconds']:.0f} s" if "seconds" in step else ""
            lines.append(f"{step['name']:<28} {step['outcome']:<12} {seconds:>6}  {step.get('reason', '')}".rstrip())
            for row in step["rows"]:
                lines.append(f"    {'ok  ' if row['ok'] else 'FAIL'} {row['name']}: {row['text']}"[:400])
        return "\n".join(lines)


def machine(device):
    found = {"cores": os.cpu_count(), "python": platform.python_version(), "libc": " ".join(platform.libc_ver())}
    if device == "cuda":
        query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
        try:
            answer = subprocess.run(query, capture_output=True, text=True, timeout=15)
            found["GPU"] = (answer.stdout or answer.stderr).strip().replace("\n", " ")
        except (OSError, subprocess.TimeoutExpired) as error:
            found["GPU"] = f"nvidia-smi: {error}"
    return found


def unpack(archive, folder):
    try:
        with tarfile.open(archive) as files:
            files.extractall(folder, **({"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}))
    except tarfile.ReadError:  # this Python was built without lzma
        subprocess.run(["tar", "-xf", os.path.abspath(archive), "-C", folder], check=True)
    return os.path.join(folder, "gpu-check")


def run(report, step, command, limit, cwd, env):
    """Run one step to its end or its limit, and keep every row that it reports."""
    began = time.monotonic()
    report.update(step, outcome="running", limit_s=round(limit))
    report.say(f"== {step['name']}: {' '.join(command)}")
    last = [""]
    process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", preexec_fn=os.setpgrp)

    def read():
        for line in process.stdout:
            line = line.rstrip()
            if line.startswith('{"row":'):
                row = json.loads(line)["row"]
                report.row(step, row)
                print(f"{step['name']}: {'ok' if row['ok'] else 'FAIL'}  {row['name']}: {row['text']}"[:300], flush=True)
            elif line != "":
                # Node's and Python's last word is seldom what went wrong.
                if re.match(r"\w*(Error|Failure)\b", line) or not re.match(r"\w*(Error|Failure)\b", last[0]):
                    last[0] = line
                report.say(line)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    outcome, reason = "interrupted", ""
    try:
        code = process.wait(timeout=limit)
        reader.join(timeout=5)
        bad = [row["name"] for row in step["rows"] if not row["ok"]]
        outcome = "passed" if code == 0 and step["rows"] and not bad else "failed"
        reason = f"exit code {code}: {last[0]}" if code != 0 else ", ".join(bad) if step["rows"] else "it found nothing"
    except subprocess.TimeoutExpired:
        outcome, reason = "timed out", f"not done after {limit:.0f} s"
    finally:
        kill(process)
        reader.join(timeout=5)
        report.update(step, outcome=outcome, reason=reason, seconds=round(time.monotonic() - began, 1))


def kill(process):
    """It and whatever it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def environment(root, device):
    env = {**os.environ, "RUN_PIPELINE_BACKENDS": os.path.join(root, "backends"), "HF_HUB_OFFLINE": "1"}
    env["CUDA_VISIBLE_DEVICES"] = env.get("CUDA_VISIBLE_DEVICES", "0") if device == "cuda" else ""
    # Containers may let float32 products be rounded; what is compared here must not be.
    for name in ("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "NVIDIA_TF32_OVERRIDE", "RUN_PIPELINE_STORE"):
        env.pop(name, None)
    return env


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("archive")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help="cpu: the same in small, to try the archive")
    parser.add_argument("--out", default=os.environ.get("OUT", "."), help="folder of the results")
    parser.add_argument("--only", action="append", help="a step to run, by its name (repeatable)")
    parser.add_argument("--seconds", type=float, help=f"for everything; {BUDGET} on a GPU")
    options = parser.parse_args()
    began = time.monotonic()
    # Without a GPU nobody waits for the machine, which may be a busy one.
    total = options.seconds or (BUDGET if options.device == "cuda" else 5 * BUDGET)
    plan = [step for step in steps(options.device, sys.executable) if options.only is None or step.name in options.only]

    def on_signal(number, _):
        raise Ended(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    folder = tempfile.mkdtemp(prefix="gpu-check-")
    report = Report(options.out, options.device, [step.name for step in plan])
    ended = 0
    try:
        root = unpack(options.archive, folder)
        for i, (step, entry) in enumerate(zip(plan, report.data["steps"])):
            scale = total / BUDGET
            left = began + total - LAST * scale - time.monotonic()
            free = left - scale * sum(later.kept for later in plan[i + 1:])
            if left < step.least * scale:
                report.update(entry, outcome="skipped", reason=f"{max(0, left):.0f} s are left, it needs {step.least * scale:.0f}")
            else:
                limit = min(left, max(step.kept * scale, free))
                run(report, entry, step.command, limit, root, environment(root, options.device))
    except Ended as signalled:
        ended = signalled.args[0]
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        report.write()
        print(report.table(), flush=True)
        shutil.rmtree(folder, ignore_errors=True)
    if ended:
        sys.exit(128 + ended)
    sys.exit(0 if plan and all(entry["outcome"] == "passed" for entry in report.data["steps"]) else 1)


if __name__ == "__main__":
    main()
