"use strict";
// Facts as every peer makes them: numbered, due at a fixed rate on the monotonic clock, told on standard input
// ("go FIRST COUNT START_US RATE").

function fact(n, tours) {
  const tour = n % tours;
  return {
    type: "AVAILABILITY_UPDATE",
    tourId: `t${String(tour).padStart(5, "0")}`,
    availableSeats: n % 1000,
    timestamp: new Date().toISOString(),
    tourName: `Tour ${tour}`,
    capacity: 1000,
    held: 0,
    version: n,
  };
}

const now = () => Number(process.hrtime.bigint() / 1000n);

/** Call `tell(fact)` for each fact when it is due. */
function ticking(tours, tell) {
  let timer;
  process.stdin.setEncoding("utf8").on("data", (line) => {
    const [first, count, start, rate] = line.split(" ").slice(1).map(Number);
    let next = first;
    const due = (n) => start + ((n - first) * 1e6) / rate;
    clearTimeout(timer);
    const run = () => {
      const present = now();
      while (next < first + count && due(next) <= present) tell(fact(next++, tours));
      if (next < first + count) timer = setTimeout(run, Math.max(0, (due(next) - now()) / 1000));
    };
    run();
  });
  process.stdin.on("end", () => process.exit(0));
}

module.exports = { ticking };
