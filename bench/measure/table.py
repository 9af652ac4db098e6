"""What a run was made on, and its rows as a reader wants them."""

import os
import platform
import re
import subprocess
from pathlib import Path

SETTING = ("loopback, one core per side, TLS 1.3 with AES-128-GCM by {library} on both, UDP payloads of at most 1452 B, "
           "GSO and GRO; ours: one send() per message, handlers that check every number")


def encrypting_library(program):
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return re.search(r"encrypted by ([\w-]+)", done.stdout).group(1)


def machine(options):
    library = encrypting_library(options.build / "bin" / "orzatty")
    cpu = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    return {"cpu": cpu.group(1) if cpu else platform.machine(), "cores": len(os.sched_getaffinity(0)),
            "kernel": platform.release(), "load": os.getloadavg()[0], "setting": SETTING.format(library=library),
            "runs": options.runs, "seconds": options.seconds}


def print_machine(facts):
    print(f"{facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}, load {facts['load']:.1f}\n"
          f"{facts['setting']}\nmedian (least to most) of {facts['runs']} interleaved runs of "
          f"{facts['seconds']:g} s\n", flush=True)


def short(value):
    for limit, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= limit:
            return f"{value / limit:.2f}{unit}"
    return f"{value:.1f}" if value >= 1 or value == 0 else f"{value:.5f}"


def cell(values):
    return f"{short(values['median'])} ({short(values['min'])} to {short(values['max'])})"


def line_of(row, theirs_width=38):
    theirs = f"{row['against']} {cell(row['theirs'])}" if "theirs" in row else ""
    part = row.get("ratio")
    times = f"{part['median']:.2f} x ({part['min']:.2f} to {part['max']:.2f})" if part else ""
    goal = f"  goal {row['goal']}" if "goal" in row else ""
    return f"{row['name']:<36} {row['unit']:<8} {cell(row['ours']):<32} {theirs:<{theirs_width}} {times}{goal}"
