// Whether these pages come from an archive alone: then there are no miners, no peers and no node to speak of.
import { useApi } from "./api.js";

export const useExplorer = () => useApi("/status").data?.source === "archive";
