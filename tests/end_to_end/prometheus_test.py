"""A real Prometheus, with the configuration and the alerts of deploy/, scrapes a real server."""

import json
import pathlib
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

import hub
from metrics_test import Metrics

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
RULES_TEST = pathlib.Path(__file__).with_name("prometheus_rules_test.yml")
CONFIG = b"""
[[channel]]
pattern = "quotes.>"
retention_count = 10
"""
NAME = re.compile(r"\b(?:orzatty|process)_[a-z_]+\b")


class Monitoring(Metrics):
    def promtool(self, *words, stdin=b""):
        """What it says; it may not find anything wrong."""
        done = subprocess.run(["promtool", *map(str, words)], input=stdin, capture_output=True,
                              timeout=hub.PATIENCE, check=False)
        said = (done.stdout + done.stderr).decode()
        self.assertEqual(done.returncode, 0, said)
        return said

    def start_prometheus(self):
        """Beside the server, by the files of deploy/, but for the port and its haste."""
        shutil.copy(DEPLOY / "prometheus-rules.yml", self.folder)
        text = (DEPLOY / "prometheus.yml").read_text()
        self.assertIn("127.0.0.1:9464", text)
        text = text.replace("127.0.0.1:9464", f"127.0.0.1:{self.port}").replace("15s", "250ms")
        config = self.file("prometheus.yml", text.encode())
        prometheus = self.start(f"--config.file={config}", f"--storage.tsdb.path={self.folder / 'tsdb'}",
                                "--web.listen-address=127.0.0.1:0", program=shutil.which("prometheus"))
        address = prometheus.wait_for_line("stderr", r'msg="Listening on" address=(\S+)').group(1)
        prometheus.wait_for_line("stderr", "Server is ready")
        self.api = f"http://{address}/api/v1/"
        return prometheus

    def ask_prometheus(self, what, **parameters):
        with urllib.request.urlopen(self.api + what + "?" + urllib.parse.urlencode(parameters),
                                    timeout=hub.PATIENCE) as answer:
            return json.load(answer)["data"]

    def wait_for(self, query, value):
        until = time.monotonic() + hub.PATIENCE
        while True:
            found = self.ask_prometheus("query", query=query)["result"]
            if [float(one["value"][1]) for one in found] == [value]:
                return found[0]["metric"]
            self.assertLess(time.monotonic(), until, f"{query}: {found}, {self.ask_prometheus('targets')}")


class Prometheus(Monitoring):
    def test_scrapes_the_server_and_knows_what_became_of_messages(self):
        self.serve_metrics("--config", self.file("hub.toml", CONFIG))
        self.start_prometheus()
        self.wait_for('up{job="orzatty"}', 1)
        self.assertEqual(self.run_client("ping", "--token", "wrong", "--count", 1)[0], 3)
        self.publish("quotes.a", *map(str, range(12)))
        self.publish("b", "one")
        code, _, err = self.run_client("sub", "quotes.a", "--from", "offset:0", "--count", 10)
        self.assertEqual(code, 4, err)  # it says that it missed some
        self.wait_for('orzatty_accepted_messages_total{channels="quotes.>"}', 12)
        self.wait_for('orzatty_accepted_messages_total{channels="(others)"}', 1)
        self.wait_for('orzatty_delivered_messages_total{channels="quotes.>"}', 10)
        self.wait_for('orzatty_missed_messages_total{channels="quotes.>",reason="retention"}', 2)
        self.wait_for('orzatty_refusals_total{reason="authentication"}', 1)
        self.wait_for("orzatty_received_messages_total - ignoring(channels)"
                      " sum without(channels) (orzatty_accepted_messages_total)", 0)
        self.wait_for("time() - process_start_time_seconds < bool 3600", 1)
        self.wait_for("orzatty_certificate_expiry_timestamp_seconds - time() > bool 13 * 86400", 1)

    def test_sees_that_a_server_is_gone(self):
        server = self.serve_metrics()
        self.start_prometheus()
        self.wait_for('up{job="orzatty"}', 1)
        server.end()
        self.wait_for('up{job="orzatty"}', 0)


class Files(Monitoring):
    def exported(self):
        """Names of all metrics, of a server that has met all that makes one appear."""
        self.serve_metrics()
        self.publish("a", "one")
        text = self.text_with(r"^orzatty_sessions_ended_total\{")
        self.promtool("check", "metrics", stdin=text.encode())
        return set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))

    def test_promtool_finds_nothing_wrong_with_metrics_alerts_and_configuration(self):
        self.exported()
        self.promtool("check", "rules", DEPLOY / "prometheus-rules.yml")
        self.promtool("check", "config", DEPLOY / "prometheus.yml")

    def test_alerts_fire_when_they_shall_and_not_otherwise(self):
        rules = RULES_TEST.read_text().replace("RULES", str(DEPLOY / "prometheus-rules.yml"))
        self.promtool("test", "rules", self.file("test.yml", rules.encode()))

    def test_every_alert_says_what_happened_and_what_to_do(self):
        text = (DEPLOY / "prometheus-rules.yml").read_text()
        alerts = re.split(r"(?m)^ +- alert: ", text)[1:]
        self.assertGreater(len(alerts), 4)
        for alert in alerts:
            for part in ("expr:", "severity:", "summary:", "action:"):
                self.assertIn(part, alert)

    def test_alerts_and_dashboard_ask_for_metrics_that_there_are(self):
        exported = self.exported()
        dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
        asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
        asked += [variable["definition"] for variable in dashboard["templating"]["list"]
                  if variable["type"] == "query"]
        self.assertGreater(len(asked), 15)
        asked += re.findall(r"expr: (.*)", (DEPLOY / "prometheus-rules.yml").read_text())
        for expression in asked:
            names = NAME.findall(expression)
            self.assertTrue(names or "up{" in expression, expression)
            for name in names:
                self.assertIn(name, exported, expression)


if __name__ == "__main__":
    hub.run_tests()
