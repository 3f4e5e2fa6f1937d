#!/usr/bin/env bash
# DICOM in, de-identified DICOM out: into a folder, into an archive, and twice with one vault.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

# A made-up person's session to play with.
python=$(dirname "$(command -v bidsanon)")/python3
"$python" -c '
import sys
from pathlib import Path
from bidsanon.demo import write_demo_session
write_demo_session(Path(sys.argv[1]))
' "$here/dicom"

# 1. What would be done? Nothing is written.
bidsanon deidentify "$here/dicom" "$here/shared" --dry-run
test ! -e "$here/shared"

# 2. Do it. stdout is one JSON object for scripts.
bidsanon deidentify "$here/dicom" "$here/shared" --json >"$here/summary.json"
"$python" -c '
import json, sys
summary = json.load(open(sys.argv[1]))
print(summary["outcome"], summary["files"], "files of", summary["persons"], "person")
for row in summary["quarantine"]:
    print("  quarantine:", row["count"], row["reason"])
' "$here/summary.json"

# 3. Another profile, into an archive, with the same vault: the same person, the same pseudonym.
bidsanon deidentify "$here/dicom" "$here/strict.zip" --private "$here/shared.private" --profile strict

# 4. What stands at OUT is not replaced unasked: exit code 7.
status=0
bidsanon deidentify "$here/dicom" "$here/shared" 2>/dev/null || status=$?
test "$status" = 7
bidsanon deidentify "$here/dicom" "$here/shared" --overwrite >/dev/null

# 5. De-identifying what is de-identified changes nothing more.
bidsanon deidentify "$here/shared" "$here/again" --private "$here/shared.private" >/dev/null
diff -r "$here/shared" "$here/again"
