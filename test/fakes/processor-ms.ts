/** Milliseconds of processor time that this process has had so far: unlike a clock, it does not count what others do meanwhile. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
