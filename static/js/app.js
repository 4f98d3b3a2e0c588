// Starts every behaviour of a page; each module does nothing where its elements are absent.
import { startCopy } from "./copy.js";
import { startDialogs } from "./dialogs.js";
import { startForms } from "./forms.js";
import { startLive } from "./live.js";
import { startPalette } from "./palette.js";
import { startPreferences } from "./preferences.js";
import { startPush } from "./push.js";
import { startRefresh } from "./refresh.js";
import { startShortcuts } from "./shortcuts.js";
import { startTabs } from "./tabs.js";
import { startTimes } from "./time.js";
import { startToasts } from "./toasts.js";

startTimes();
startTabs();
startPreferences();
startDialogs();
startForms();
startToasts();
startCopy();
startShortcuts();
startPalette();
startLive();
startPush();
startRefresh();
document.documentElement.dataset.ready = "";
