"""`python -m tests.engines.cluster up` builds and starts the cluster; `down` ends it, and leaves what was built."""

import argparse
import sys

from tests.engines.cluster.host import down, up

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("command", choices=["up", "down"])
if reason := {"up": up, "down": down}[parser.parse_args().command]():
    sys.exit(f"no cluster: {reason}")
