"""What layout a raw file without metadata has, from a bounded sample of its bytes.

`find` asks `headers`, which knows formats that hide behind another suffix, then `judge`, which
joins the steps: `codes` finds the type of number by code lengths, `periods` rows and frames by
autocorrelation, `rows` judges row lengths and channels, `frames` heights, and `packed` unpacks
samples of 12 bits. `borders`, `heads` and `edges` find where frames and headers end, as `clues` of
what `candidates` and `gaps` make of the file's size. `grid`, `seams` and `alike` look where one row
or frame meets the next, in `strips` of the file; `rank` makes confidences of all this, and `words`
says why.
"""
