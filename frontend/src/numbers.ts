/** The random numbers of the demo: the newest and the ones before it. */
import type { Client, RandomNumber } from "@seatcast/client";
import { useChannel, useClient } from "@seatcast/client/react";
import { useSyncExternalStore } from "react";

/** How many to remember. */
export const REMEMBERED = 10;

const KEY = "numbers";
const NONE: readonly RandomNumber[] = [];

interface Numbers {
  readonly watch: (wake: () => void) => () => void;
  readonly list: () => readonly RandomNumber[];
}

function remember(client: Client): Numbers {
  let list = NONE;
  client.tap({
    message(frame) {
      if (frame.type !== "RANDOM_NUMBER") return;
      list = [frame, ...list].slice(0, REMEMBERED);
      client.touch(KEY);
    },
  });
  return { watch: (wake) => client.watch(KEY, wake), list: () => list };
}

const all = new WeakMap<Client, Numbers>();

/** The last numbers, the newest first. None is missed between two frames, nor while the tab is hidden. */
export function useNumbers(): readonly RandomNumber[] {
  const client = useClient();
  useChannel("random-numbers");
  let numbers = all.get(client);
  if (numbers === undefined) all.set(client, (numbers = remember(client)));
  return useSyncExternalStore(numbers.watch, numbers.list, () => NONE);
}
