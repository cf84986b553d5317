// Sets the chosen colours before the first paint. Without a choice the system's preference counts.
const chosen = localStorage.getItem("theme");
if (chosen) document.documentElement.dataset.theme = chosen;
