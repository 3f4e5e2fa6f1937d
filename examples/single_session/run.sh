#!/usr/bin/env bash
# One session from DICOM to a BIDS dataset, step by step, with a made-up person's session.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

# A made-up session to play with: bidsanon demo keeps its DICOM beside the dataset.
bidsanon demo "$here/demo" >/dev/null 2>&1
source_folder="$here/demo/dicom"

# 1. What is in it, and what would it become? Nothing is written.
bidsanon inspect "$source_folder"

# 2. What would be done? Still nothing is written.
bidsanon convert "$source_folder" -o "$here/study" -s 01 -ss 01 --dry-run
test ! -e "$here/study"

# 3. Do it. stdout is one JSON object for scripts.
bidsanon convert "$source_folder" -o "$here/study" -s 01 -ss 01 --json >"$here/summary.json"
python3 -c '
import json, sys
summary = json.load(open(sys.argv[1]))
print("outcome:", summary["outcome"])
for gate in summary["gates"]:
    print(" ", gate["gate"], "passed" if gate["passed"] else "refused")
' "$here/summary.json"

# 4. The same session again is refused with exit code 7, and nothing changes.
status=0
bidsanon convert "$source_folder" -o "$here/study" -s 01 -ss 01 2>/dev/null || status=$?
test "$status" = 7

# 5. The dataset as a whole.
bidsanon validate "$here/study"
