/** Whether everything is to happen that takes more time than `npm test` has: `npm test -- --whole` asks for it. */
export const isWhole = process.env.TERRARIUM_FAULTS === "all";
