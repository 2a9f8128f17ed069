// In the head, before anything is drawn: what needs scripts is shown from the start, and does not jump in.

document.documentElement.classList.add("js");
