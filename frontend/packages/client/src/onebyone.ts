/** Reads tours one by one, for a page that shows few of many: the list of a large catalogue is long. */
import type { Tour } from "./frames.js";
import { type Answer, HttpError, readTours, type ReadTours } from "./rest.js";
import { isTour } from "./wire.js";

/** Of more than this the whole list is less work for everybody. */
export const FEW = 10;

const NOT_FOUND = 404;

const isOpen = (body: unknown): body is Tour => isTour(body) && body.closed !== true;

/** What is open of the tours that somebody reads: an option of `createClient`, together with `tours: "watched"`. */
export const oneByOne: ReadTours = async (request, signal, watched) => {
  // Those who begin to watch together are read together.
  await null;
  const of = watched();
  if (of.length > FEW) return readTours(request, signal);
  const read = async (id: string): Promise<Answer | null> => {
    try {
      return await request(`/api/tours/${encodeURIComponent(id)}`, { signal });
    } catch (error) {
      if (error instanceof HttpError && error.status === NOT_FOUND) return null;
      throw error;
    }
  };
  const answers = (await Promise.all(of.map(read))).filter((answer) => answer !== null);
  const epochs = new Set(answers.map(({ headers }) => headers.get("Seatcast-Epoch")));
  if (epochs.size > 1) throw new Error("of several epochs");
  const [epoch = null] = epochs;
  return { of, epoch, tours: answers.map(({ body }) => body).filter(isOpen) };
};
