drop function search_content(text, text, integer);
