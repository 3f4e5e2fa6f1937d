#!/usr/bin/env bash
# Faces out of a BIDS dataset and nothing else: look, copy, look again, and one image in place.
set -euo pipefail
example=$(cd "$(dirname "$0")" && pwd)
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

# A made-up dataset: an average head that nobody has, and a bold image.
python=$(dirname "$(command -v bidsanon)")/python3
"$python" "$example/make_dataset.py" "$here/study"

# 1. Which images show a face? Nothing is written; exit code 4, since one does.
status=0
bidsanon deface "$here/study" --check-only || status=$?
test "$status" = 4

# 2. A copy of the dataset with defaced images. stdout is one JSON object for scripts.
bidsanon deface "$here/study" -o "$here/shared" --defacemasks --pictures "$here/faces" --json \
    >"$here/summary.json"
"$python" -c '
import json, sys
for image in json.load(open(sys.argv[1]))["images"]:
    print(image["verdict"], image["path"])
' "$here/summary.json"
ls "$here/shared/sub-01/anat"

# 3. Nothing in the copy shows a face any more: exit code 0.
bidsanon deface "$here/shared" --check-only

# 4. Without a word of where they go, nothing is done: exit code 2.
status=0
bidsanon deface "$here/study" || status=$?
test "$status" = 2

# 5. One image, replaced: the original is gone.
bidsanon deface "$here/study/sub-01/anat/sub-01_T1w.nii.gz" --in-place
cmp "$here/study/sub-01/anat/sub-01_T1w.nii.gz" "$here/shared/sub-01/anat/sub-01_T1w.nii.gz"
