"""What a connection costs the server: its handshake, and its memory while nothing happens."""

from measure.spreads import column, lone_row

IN_FLIGHT = 16
IDLE = 10_000


def handshake_rows(bench):
    results = bench.interleaved(ours=lambda: bench.ours("handshakes", "--in-flight", IN_FLIGHT))["ours"]
    yield lone_row(f"handshakes, {IN_FLIGHT} in flight", "1/s", column(results, "handshakes_per_second"))
    for side, goal in (("server", "<= 0.5"), ("clients", None)):
        cpu = [time / 1e6 for time in column(results, f"{side}_cpu_ns_per_handshake")]
        yield lone_row(f"  CPU of the {side}", "ms", cpu, goal)


def idle_rows(bench):
    """One run: opening them takes long, and memory does not vary."""
    result = [bench.ours("idle", "--connections", IDLE)]
    size = [held / 1024 for held in column(result, "server_bytes_per_connection")]
    yield lone_row(f"server's memory, {IDLE} idle", "KiB each", size, "<= 36")
    yield lone_row("  server's CPU", "% core", column(result, "server_cpu_percent"))
