// The one place that names the view library.
export {
  html, render, Component, useState, useEffect, useLayoutEffect, useRef, useMemo, useCallback,
} from "../vendor/preact/standalone.module.js";
