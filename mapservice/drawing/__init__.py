"""Pictures and papers of a map: drawn by matplotlib and WeasyPrint in a process of their own."""
