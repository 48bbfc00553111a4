"""What layout a raw file without metadata has, from a bounded sample of its bytes.

`find` joins the steps: `headers` knows formats that hide behind another suffix, `codes` finds the
type of number by code lengths, `periods` rows and frames by autocorrelation, `rows` judges row
lengths and channels, `candidates` lists what fits the file's size, `seams` looks where one frame
meets the next, and `rank` makes confidences of all this.
"""
