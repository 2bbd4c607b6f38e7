"""The course's colours: one per network, the same in every figure and every panel."""

# Light-theme values, for figures on white paper. The panels read theirs, with their dark-theme twins, from
# widgets/static/palette.css; a test holds the two files together. Chosen apart for colour-blind readers (vermillion,
# blue, bluish green) and with a contrast of at least 4.5 against white, so that text may wear them.
GENERATOR = "#B8470B"
DISCRIMINATOR = "#0A66A8"
PROBE = "#0B7A5B"
NEUTRAL = "#5F6670"
WARNING = "#8A5A00"
STOP = "#B3261E"
VIOLET = "#8E4585"
INK = "#1F2328"
