#!/usr/bin/env bash
# Names of one's own: a draft from a session, a change in it, a check, and the conversion.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

# A made-up session to play with: bidsanon demo keeps its DICOM beside the dataset.
bidsanon demo "$here/demo" >/dev/null 2>&1
source_folder="$here/demo/dicom"
ourlab="$here/heuristics/ourlab.py"

# 1. A draft for exactly these series. Read it: its first lines say how to change it.
bidsanon heuristic new "$source_folder" -o "$ourlab"
sed -n '/^RULES/,/^]/p' "$ourlab"

# 2. The resting run was a film. With a text editor one would change the same word.
sed -i 's/task-rest_bold/task-movie_bold/' "$ourlab"
bidsanon heuristic check "$ourlab" "$source_folder" -s 01 -ss 01

# 3. A name that is no BIDS is refused with exit code 5, and the nearest one is said.
sed 's/task-movie_bold/task-movie_blod/' "$ourlab" >"$here/heuristics/misspelt.py"
status=0
bidsanon heuristic check "$here/heuristics/misspelt.py" "$source_folder" || status=$?
test "$status" = 5

# 4. A draft that may have been edited is not replaced unasked: exit code 7.
status=0
bidsanon heuristic new "$source_folder" -o "$ourlab" 2>/dev/null || status=$?
test "$status" = 7

# 5. Use it.
bidsanon convert "$source_folder" -o "$here/study" -s 01 -ss 01 -f "$ourlab"
ls "$here/study/sub-01/ses-01/func"
test -f "$here/study/sub-01/ses-01/func/sub-01_ses-01_task-movie_bold.nii.gz"
