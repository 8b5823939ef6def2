/** The script that a page loads: it teaches the browser the tag, once however often it is loaded. */
import { TourAvailability } from "./element";

if (customElements.get("tour-availability") === undefined) customElements.define("tour-availability", TourAvailability);
