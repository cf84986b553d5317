// Sets the chosen colours before the first paint. Without a choice the system's preference counts.
const chosen = localStorage.getItem("theme");
if (chosen) document.documentElement.dataset.theme = chosen;

// Where a part of the page did not come, nothing would follow: the page is loaded again.
addEventListener("error", (trouble) => {
  if (trouble.target instanceof HTMLScriptElement) setTimeout(() => location.reload(), 3000);
}, true);
