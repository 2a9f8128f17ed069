// Which of the two arrangements is shown: map.css draws the line at the same width.

export const isWide = () => matchMedia("(min-width: 62rem)").matches;
