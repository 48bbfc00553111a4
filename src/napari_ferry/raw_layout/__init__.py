"""What layout a raw file without metadata has, from a bounded sample of its bytes.

`find` joins the steps: `headers` knows formats that hide behind another suffix, `codes` finds the
type of number by code lengths, `periods` rows and frames by autocorrelation, `rows` judges row
lengths and channels, `frames` heights, `candidates` lists what fits the file's size, `grid` and
`seams` look where one row or frame meets the next, `packed` unpacks samples of 12 bits, and `rank`
makes confidences of all this.
"""
