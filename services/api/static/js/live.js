// The stream of events. Reconnects for ever, says when it is lost, and drops what came twice.

const SILENCE_MS = 45000; // the server says something every 30 s
const AGAIN_MS = 3000;
const REMEMBERED = 5000;

export class Live {
  // onEvent(event) for each new one; onLink(isUp, mayHaveMissed) when the connection changes.
  constructor(onEvent, onLink) {
    this.onEvent = onEvent;
    this.onLink = onLink;
    this.known = new Set();
    this.isUp = null;
    this.fresh = true;
    this.listener = (message) => this.take(message);
    setInterval(() => this.check(), 5000);
    this.open();
  }

  open() {
    this.source?.close();
    this.heard = Date.now();
    const source = new EventSource("/v1/events");
    this.source = source;
    source.addEventListener("hello", (message) => {
      this.heard = Date.now();
      // A source that reconnects by itself resumes; a new one, or one that lost its place, may not.
      const { lost, topics } = JSON.parse(message.data);
      const missed = this.isUp !== null && (this.fresh || lost);
      for (const topic of topics) source.addEventListener(topic, this.listener); // twice is once
      this.fresh = false;
      this.up(true, missed);
    });
    source.addEventListener("ping", () => { this.heard = Date.now(); });
    source.onerror = () => {
      this.up(false, false);
      if (source.readyState === EventSource.CLOSED) this.reopen();
    };
  }

  take(message) {
    this.heard = Date.now();
    const event = JSON.parse(message.data);
    if (this.known.has(event.id)) return;
    this.known.add(event.id);
    if (this.known.size > REMEMBERED) this.known.delete(this.known.values().next().value);
    this.onEvent(event);
  }

  reopen() {
    this.fresh = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), AGAIN_MS);
  }

  check() {
    if (Date.now() - this.heard < SILENCE_MS) return;
    this.up(false, false);
    this.fresh = true;
    this.open();
  }

  up(isUp, missed) {
    if (this.isUp === isUp && !missed) return;
    this.isUp = isUp;
    this.onLink(isUp, missed);
  }
}
