/** `TERRARIUM_FAULTS=all`, which `npm run test:faults` sets: everything is to happen that takes more time than `npm test` has; on real pods, too. */
export const isWhole = process.env.TERRARIUM_FAULTS === "all";
