# SPDX-License-Identifier: Apache-2.0
#
# checks.py - what the Python tests of this folder count and tell: a failed check is printed and counted, and the test goes on.
import sys

failures = 0


def check(good, what):
    global failures
    if not good:
        failures += 1
        print("FAILED", what)


def end():
    print("failed:", failures)
    sys.exit(1 if failures else 0)
