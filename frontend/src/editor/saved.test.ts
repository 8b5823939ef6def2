import { describe, expect, it } from "vitest";
import { Saved } from "./saved";

describe("what is stored", () => {
  it("is all that was written once as many updates are stored as were brought", () => {
    const saved = new Saved();
    saved.begin();
    expect(saved.unsaved).toBe(false);
    saved.wrote(true);
    saved.wrote(true);
    saved.told(1);
    expect(saved.unsaved).toBe(true);
    saved.told(2);
    expect(saved.unsaved).toBe(false);
  });

  it("what was written without a connection is stored when the next one says so for the first time", () => {
    const saved = new Saved();
    saved.begin();
    saved.wrote(false);
    saved.begin();
    expect(saved.unsaved).toBe(true);
    saved.told(0);
    expect(saved.unsaved).toBe(false);
  });

  it("what was on its way when a connection ended is not stored by what that one said", () => {
    const saved = new Saved();
    saved.begin();
    saved.wrote(true);
    saved.told(1);
    saved.wrote(true);
    saved.begin();
    expect(saved.unsaved).toBe(true);
    saved.wrote(true);
    saved.told(0);
    expect(saved.unsaved).toBe(true);
    saved.told(1);
    expect(saved.unsaved).toBe(false);
  });
});
