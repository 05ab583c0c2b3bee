/** NVML's number for a registration with the NVLink fabric that has come to an end, well or not: only then its status counts. */
export const fabricCompleted = 3;
