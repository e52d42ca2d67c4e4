/** Multiplies every limit of time, for machines that have other things to do. */
export const patience = Number(process.env.TERRARIUM_TEST_PATIENCE ?? "1");
